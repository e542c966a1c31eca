import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const BIN = join(ROOT, 'bin/rope-eval.js');

const LOCK = join(ROOT, 'node_modules/.rope-eval-test-build');

/**
 * Builds `dist/` if it is missing or older than `src/`. Several test files may call this at once.
 */
export async function build(): Promise<void> {
  while (!isFresh()) {
    try {
      mkdirSync(LOCK);
    } catch {
      await sleep(500);
      // The lock was left behind by a run that was killed.
      if (Date.now() - modified(LOCK) > 120_000) rmSync(LOCK, { recursive: true, force: true });
      continue;
    }
    try {
      execFileSync('npx', ['tsc', '-p', '.'], { cwd: ROOT, stdio: 'ignore' });
      execFileSync(process.execPath, ['tools/copy-data.js'], { cwd: ROOT });
    } finally {
      rmSync(LOCK, { recursive: true, force: true });
    }
  }
}

function isFresh(): boolean {
  const built = modified(join(ROOT, 'dist/cli/main.js'));
  return globSync('src/**/*.ts', { cwd: ROOT }).every((path) => modified(join(ROOT, path)) < built);
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Ended>;
}

/** Starts the command line as users have it, in a separate process. */
export function start(argv: readonly string[], cwd: string): Running {
  const child = spawn(process.execPath, [BIN, ...argv], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => (text.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text.stderr += data.toString()));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...text }));
  });
  if (child.pid === undefined) throw new Error('the command line did not start');
  return { process: child, pid: child.pid, ended };
}

interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

/** Lists every process of the machine. */
export function processes(): Promise<readonly Listed[]> {
  return new Promise((resolve, reject) => {
    execFile('ps', ['-A', '-o', 'pid=,ppid=,stat='], (error, stdout) => {
      if (error) return reject(error);
      const rows = stdout.trim().split('\n');
      resolve(
        rows.map((row) => {
          const [pid, parent, state = ''] = row.trim().split(/\s+/);
          return { pid: Number(pid), parent: Number(parent), state };
        }),
      );
    });
  });
}

/** Waits for the engine's process; undefined if the run ended first. */
export async function engineOf({ pid, process: child }: Running): Promise<number | undefined> {
  while (child.exitCode === null && child.signalCode === null) {
    const found = (await processes()).find(({ parent }) => parent === pid);
    if (found) return found.pid;
    await sleep(10);
  }
  return undefined;
}

/** Whether a process ends within ten seconds. A zombie has not ended. */
export async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (!(await processes()).some((one) => one.pid === pid)) return true;
    await sleep(100);
  }
  return false;
}
