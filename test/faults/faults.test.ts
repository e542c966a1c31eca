import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ReportSchema } from '../../src/report/schema/report.js';
import { BIN, build, engineOf, isGone, ROOT, start } from '../helpers/built.js';
import { temporaryFolder } from '../helpers/temporary.js';

beforeAll(build, 240_000);

const CONFIG = join(ROOT, 'configs/Llama-2-7b-hf.json');
const QUICK = ['--preset', 'quick', '--candidates', 'yarn:4', '--samples', '2', '--threads', '1'];
const MINUTES = 240_000;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell line in which `$run` is the command line. */
function shell(line: string, cwd: string): Promise<Ended> {
  const env = { ...process.env, run: `${process.execPath} ${BIN}`, config: CONFIG };
  return new Promise((resolve) => {
    execFile('bash', ['-c', line], { cwd, env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

/** Files that are neither complete reports nor were there before. */
async function leftovers(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.tmp'));
}

async function isWhole(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined || ReportSchema.safeParse(JSON.parse(text)).success;
}

describe('a reader that goes away', () => {
  it.each(['$run inspect $config --json', '$run explain', '$run schema report', '$run --help'])(
    'is no failure: %s | head -1',
    async (command) => {
      const { stdout, stderr } = await shell(
        `${command} | head -1; echo "code \${PIPESTATUS[0]}"`,
        await temporaryFolder(),
      );
      expect(stderr).toBe('');
      expect(stdout).toMatch(/code 0\n$/);
    },
    MINUTES,
  );
});

describe('a limit of the system', () => {
  it.each([
    ['files of 4 KiB', 'ulimit -f 4'],
    ['20 open files', 'ulimit -n 20'],
    ['700 MB of memory', 'ulimit -v 700000'],
  ])(
    'leaves no half of a report: %s',
    async (_, limit) => {
      const cwd = await temporaryFolder();
      const { code, stderr } = await shell(
        `${limit}; $run $config ${QUICK.join(' ')} -o report.json >/dev/null`,
        cwd,
      );
      expect(code).not.toBe(0);
      expect(stderr).not.toBe('');
      expect(await leftovers(cwd)).toEqual([]);
      expect(await isWhole(join(cwd, 'report.json'))).toBe(true);
    },
    MINUTES,
  );
});

/** Runs a line in a folder on a file system of this many kilobytes, with a report in it. */
const FULL = (size: number, line: string): string =>
  `unshare -rm bash -c 'mkdir disk && mount -t tmpfs -o size=${size}k disk disk && cd disk && ` +
  `echo old > report.json && { ${line}; echo "code $?"; cat report.json; ls -A; }'`;
const { code: cannotMount } = await shell('unshare -rm mount -t tmpfs -o size=64k x /mnt', '/');

describe.skipIf(cannotMount !== 0)('a full disk', () => {
  const outputs = ['report.json', 'report.html', 'report.md'];

  it.each([
    ['evaluate', `$run $config ${QUICK.join(' ')} -o report.json > /dev/null`],
    ['sweep', `$run sweep $config ${QUICK.join(' ')} -o report.json > /dev/null`],
    ['check', `$run check $config --preset quick --samples 2 -o report.json > /dev/null`],
  ])(
    'leaves the report that was there, and no other file: %s',
    async (_, line) => {
      const { stdout, stderr } = await shell(FULL(8, line), await temporaryFolder());
      expect(stderr).toMatch(/^error: \S*report\.json .*\bdisk\b/m);
      expect(stdout).toBe('code 2\nold\nreport.json\n');
    },
    MINUTES,
  );

  it(
    'takes every report that still fits, whole',
    async () => {
      const flags = outputs.map((file) => `-o ${file}`).join(' ');
      const line = `$run $config ${QUICK.join(' ')} ${flags} > /dev/null`;
      const { stdout } = await shell(FULL(4096, line), await temporaryFolder());
      expect(stdout).toMatch(/^code 0\n\{/);
      expect(stdout.trimEnd().split('\n').slice(-3).sort()).toEqual([...outputs].sort());
    },
    MINUTES,
  );
});

describe('processes', () => {
  it(
    'that are killed or stopped from outside: the engine, at several moments',
    async () => {
      for (const wait of [0, 150, 600]) {
        const cwd = await temporaryFolder();
        const run = start([CONFIG, ...QUICK, '-o', 'report.json'], cwd);
        const engine = await engineOf(run);
        await sleep(wait);
        if (engine !== undefined) process.kill(engine, 'SIGKILL');
        const { code } = await run.ended;
        // The run may have finished already.
        expect([0, 3]).toContain(code);
        expect(await isWhole(join(cwd, 'report.json'))).toBe(true);
        expect(await leftovers(cwd)).toEqual([]);
      }
    },
    MINUTES,
  );

  it(
    'leave no engine behind where they are killed themselves',
    async () => {
      const run = start(
        [CONFIG, '--preset', 'thorough', '--threads', '1'],
        await temporaryFolder(),
      );
      const engine = await engineOf(run);
      expect(engine).toBeDefined();
      process.kill(run.pid, 'SIGKILL');
      await run.ended;
      expect(await isGone(engine!)).toBe(true);
    },
    MINUTES,
  );

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'save what is finished on %s, which a run goes on from',
    async (signal) => {
      const cwd = await temporaryFolder();
      const long = [CONFIG, '--preset', 'standard', '--threads', '1', '-o', 'report.json'];
      const run = start(long, cwd);
      await engineOf(run);
      await sleep(1500);
      process.kill(run.pid, signal);
      const { code } = await run.ended;
      expect([0, 130]).toContain(code);
      expect(await isWhole(join(cwd, 'report.json'))).toBe(true);
      if (code === 0 || signal !== 'SIGHUP') return;
      const saved = JSON.parse(await readFile(join(cwd, 'report.json'), 'utf8')) as {
        settings: { seed: number };
      };
      saved.settings.seed += 1;
      await writeFile(join(cwd, 'tampered.json'), JSON.stringify(saved));
      const resumed = start([...long, '--resume', 'tampered.json'], cwd);
      expect((await resumed.ended).code).toBe(3);
    },
    MINUTES,
  );

  it(
    'that write one file at once leave a whole one',
    async () => {
      const cwd = await temporaryFolder();
      const runs = [1, 2, 3, 4].map(() => start([CONFIG, ...QUICK, '-o', 'report.json'], cwd));
      const codes = await Promise.all(runs.map(async (run) => (await run.ended).code));
      expect(codes).toEqual([0, 0, 0, 0]);
      expect(await isWhole(join(cwd, 'report.json'))).toBe(true);
      expect(await leftovers(cwd)).toEqual([]);
    },
    MINUTES,
  );
});
