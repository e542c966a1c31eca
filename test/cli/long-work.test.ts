import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/probes/random.js';
import { type Report, ReportSchema, VOLATILE_KEYS } from '../../src/report/schema/report.js';
import {
  build,
  type Ended,
  engineOf,
  isGone,
  processes,
  ROOT,
  type Running,
  start,
} from '../helpers/built.js';
import { temporaryFolder } from '../helpers/temporary.js';

/** Uses real processes and real signals, at moments drawn from a seed. */

const CONFIG = join(ROOT, 'configs/Llama-2-7b-hf.json');
const ARGV = [CONFIG, '--candidates', 'yarn:2,ntk:2', '--target', '8192', '--preset', 'quick'];
const RUN = [...ARGV, '--samples', '5', '--threads', '1', '--device', 'cpu'];
/**
 * Makes a run ten times as long, so that a moment of the usual run is well before its end on any
 * machine.
 */
const LONG = ['--samples', '50'];

let whole: Report;
/** Milliseconds from the engine's start to the end of an undisturbed run. */
let duration: number;

beforeAll(async () => {
  await build();
  const cwd = await folder();
  const run = start([...RUN, '-o', 'r.json'], cwd);
  await engineOf(run);
  const began = performance.now();
  expect((await run.ended).code).toBe(0);
  duration = performance.now() - began;
  whole = await reportIn(cwd);
}, 240_000);

/** The first run starts before the tests, so `onTestFinished` cannot be used. */
async function folder(): Promise<string> {
  const { mkdtemp } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  return mkdtemp(join(tmpdir(), 'rope-eval-test-'));
}

async function reportIn(cwd: string, name = 'r.json'): Promise<Report> {
  return ReportSchema.parse(JSON.parse(await readFile(join(cwd, name), 'utf8')));
}

const stable = (report: Report): unknown =>
  Object.fromEntries(
    Object.entries(report).filter(([key]) => !(VOLATILE_KEYS as readonly string[]).includes(key)),
  );

/** Starts a run and interferes with it at a share of its duration. */
async function disturbed(
  cwd: string,
  share: number,
  strike: (run: Running, engine: number) => void,
  argv: readonly string[] = RUN,
): Promise<Ended> {
  const run = start([...argv, '-o', 'r.json'], cwd);
  const engine = await engineOf(run);
  if (engine === undefined) throw new Error('the run ended before it had an engine');
  await sleep(share * duration);
  strike(run, engine);
  const ended = await run.ended;
  expect(await isGone(engine)).toBe(true);
  return ended;
}

/** A run may have ended on its own in the meantime. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const random = new Random(20_240_607);
// The last third is excluded, because on a busy machine a run may be faster than the first one.
const moments = (count: number): number[] =>
  Array.from({ length: count }, () => 0.7 * random.unit());

describe('a run that Ctrl-C stops, then --resume', () => {
  it.each(moments(2))(
    'gives the report of an undisturbed run (at %d of it)',
    async (share) => {
      const cwd = await temporaryFolder();
      const ended = await disturbed(cwd, share, (run) => run.process.kill('SIGINT'));
      if (ended.code === 0) return; // it had just finished
      expect(ended.code).toBe(130);
      const half = await reportIn(cwd);
      expect(half).toMatchObject({ status: 'interrupted', unfinished: { reason: 'interrupted' } });
      expect(ended.stderr).toContain('--resume r.json');
      const { code, stderr } = await start([...RUN, '--resume', 'r.json', '-o', 'r.json'], cwd)
        .ended;
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stable(await reportIn(cwd))).toEqual(stable(whole));
    },
    120_000,
  );

  it('does not run finished work again, and takes further candidates', async () => {
    const cwd = await temporaryFolder();
    const ended = await disturbed(cwd, 0.25, (run) => run.process.kill('SIGTERM'));
    expect(ended.code).toBe(130);
    const { unfinished } = await reportIn(cwd);
    expect(unfinished?.jobs.length).toBeGreaterThan(0);
    const more = RUN.map((word) => (word === 'yarn:2,ntk:2' ? 'yarn:2,ntk:2,none' : word));
    const run = start([...more, '--resume', 'r.json', '-o', 'again.json'], cwd);
    expect((await run.ended).code).toBe(0);
    const again = await reportIn(cwd, 'again.json');
    expect(again.candidates.slice(0, 3)).toEqual(whole.candidates);
  }, 120_000);
});

describe('an engine that is killed', () => {
  it.each([0, ...moments(3)])(
    'ends the run with exit code 3 and the finished part (at %d of it)',
    async (share) => {
      const cwd = await temporaryFolder();
      const ended = await disturbed(cwd, share, (_, engine) => kill(engine));
      expect(ended.signal).toBeNull();
      expect(ended.stderr).not.toContain('interrupted');
      const files = await readdir(cwd);
      // Nothing was measured if the engine was still loading.
      if (files.length === 0) expect(ended.stderr).toMatch(/^error: (?!unexpected)/);
      const report = files.length === 0 ? undefined : await reportIn(cwd);
      if (report?.status === 'complete') return; // killed after its last answer
      expect(ended.code).toBe(3);
      if (!report) return;
      expect(report.status).toBe('failed');
      expect(ended.stderr).toContain(`error: ${report.unfinished?.reason}; `);
      const resumed = await start([...RUN, '--resume', 'r.json', '-o', 'r.json'], cwd).ended;
      expect(resumed.code).toBe(0);
      expect(stable(await reportIn(cwd))).toEqual(stable(whole));
    },
    120_000,
  );

  it('fails a gate with exit code 3, in every form that it writes', async () => {
    const cwd = await temporaryFolder();
    const argv = ['check', ...RUN.filter((word) => !/^(--candidates|yarn:2,ntk:2)$/.test(word))];
    const long = [...argv, ...LONG, '--json', '-o', 'r.xml'];
    const ended = await disturbed(cwd, 0.8, (_, engine) => kill(engine), long);
    expect(ended.code).toBe(3);
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: 'runtime-failed', exitCode: 3 });
    const junit = await readFile(join(cwd, 'r.xml'), 'utf8');
    expect(junit).toMatch(/<testcase [^>]*name="all: [^>]*>\s*<failure message="[^"]*RUNTIME/);
  }, 120_000);

  it('leaves no zombie in a program that goes on', async () => {
    const url = pathToFileURL(join(ROOT, 'dist/subjects/bundled/pool.js')).href;
    const { openProcess } = (await import(
      url
    )) as typeof import('../../src/subjects/bundled/pool.js');
    const before = new Set((await processes()).map(({ pid }) => pid));
    const engine = await openProcess({ member: whole.subject.name, device: 'cpu', threads: 1 });
    const own = (await processes()).filter(
      ({ pid, parent }) => parent === process.pid && !before.has(pid),
    );
    const child = own.find(({ state }) => !state.startsWith('Z'));
    process.kill(child!.pid, 'SIGKILL');
    expect(await isGone(child!.pid)).toBe(true);
    await expect(engine.run({} as never)).rejects.toMatchObject({ kind: 'engine_died' });
    await engine.close();
  }, 60_000);
});

it('leaves no engine behind where the command line itself is killed', async () => {
  const cwd = await temporaryFolder();
  const argv = [...RUN, ...LONG];
  const ended = await disturbed(cwd, 0.8, (run) => run.process.kill('SIGKILL'), argv);
  expect(ended.signal).toBe('SIGKILL');
  expect(await readdir(cwd)).toEqual([]);
}, 60_000);

it('refuses a report of another run, and lists what differs', async () => {
  const cwd = await temporaryFolder();
  const saved = { ...whole, status: 'failed', unfinished: { reason: 'test', jobs: [] } };
  await writeFile(join(cwd, 'r.json'), JSON.stringify(saved));
  const run = start([...RUN, '--seed', '7', '--samples', '6', '--resume', 'r.json'], cwd);
  const { code, stderr } = await run.ended;
  expect(code).toBe(3);
  expect(stderr).toMatch(/^ {2}--samples: 5 .*\b6 .*\n {2}--seed: 1 .*\b7 /m);
}, 60_000);
