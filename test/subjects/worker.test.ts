import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { loadFamily } from '../../src/subjects/bundled/family.js';
import type { openPool, openProcess } from '../../src/subjects/bundled/pool.js';
import { build, engineOf, isGone, processes, ROOT, start } from '../helpers/built.js';
import { modelConfig } from '../helpers/model-config.js';
import { temporaryFolder } from '../helpers/temporary.js';

/** Uses real processes, which are stopped while they work. */

const member = (await loadFamily()).members[0]!.name;
const request = { member, device: 'cpu', threads: 1 } as const;
/** A second of the limits lasts 0.1 s, so a silent process is stopped within 3 s. */
const limits = { silence: 30, secondMs: 100 };
let pool: { openPool: typeof openPool; openProcess: typeof openProcess };
let evaluate: typeof import('../../src/evaluate.js').evaluate;

beforeAll(async () => {
  await build();
  const built = (path: string) => import(pathToFileURL(join(ROOT, 'dist', path)).href);
  pool = (await built('subjects/bundled/pool.js')) as typeof pool;
  ({ evaluate } = (await built('evaluate.js')) as { evaluate: typeof evaluate });
}, 240_000);

/** Starts a worker with `open`, and returns its process. */
async function withChild<T>(open: () => Promise<T>): Promise<{ opened: T; child: number }> {
  const before = new Set((await processes()).map(({ pid }) => pid));
  const opened = await open();
  const own = (await processes()).filter(
    ({ pid, parent, state }) =>
      parent === process.pid && !before.has(pid) && !state.startsWith('Z'),
  );
  // `ps` itself is also a child, with a higher number.
  return { opened, child: Math.min(...own.map(({ pid }) => pid)) };
}

it('kills a child that was stopped, and says so', async () => {
  const { opened, child } = await withChild(() => pool.openProcess(request, limits));
  process.kill(child, 'SIGSTOP');
  await expect(opened.run({} as never)).rejects.toMatchObject({
    kind: 'engine_died',
    exitCode: 3,
    message: expect.stringContaining(` ${limits.silence} s`),
  });
  expect(await isGone(child)).toBe(true);
}, 60_000);

it('kills a child that takes too long for an answer', async () => {
  // Loading a model takes more than a few milliseconds anywhere.
  const impatient = { patience: 1, silence: 1e9, secondMs: 1 };
  await expect(pool.openProcess(request, impatient)).rejects.toMatchObject({
    kind: 'engine_died',
    message: expect.stringMatching(/ 1 s\b/),
  });
}, 60_000);

it('keeps what was finished when an engine is stopped in the middle', async () => {
  let child = 0;
  let runs = 0;
  const report = await evaluate(modelConfig('Llama-2-7b-hf'), {
    candidates: parseCandidates('yarn:2'),
    target: 8192,
    preset: 'quick',
    samples: 3,
    threads: 1,
    openEngine: async () => {
      const found = await withChild(() => pool.openPool(request, 512, limits));
      child = found.child;
      const { opened } = found;
      return {
        info: opened.info,
        close: () => opened.close(),
        run: (batch) => {
          if (++runs === 8) process.kill(child, 'SIGSTOP');
          return opened.run(batch);
        },
      };
    },
  });
  expect(report.status).toBe('failed');
  expect(report.unfinished?.reason).toContain(` ${limits.silence} s`);
  expect(report.unfinished?.jobs.length).toBeGreaterThan(0);
  expect(await isGone(child)).toBe(true);
}, 120_000);

it(
  'leaves no child behind a second Ctrl-C, not even a stopped one',
  { retry: 1, timeout: 60_000 },
  async () => {
    const cwd = await temporaryFolder();
    const config = join(ROOT, 'configs/Llama-2-7b-hf.json');
    const argv = [config, '--samples', '50', '--threads', '1', '--device', 'cpu', '-o', 'r.json'];
    const run = start(argv, cwd);
    const engine = (await engineOf(run))!;
    process.kill(engine, 'SIGSTOP');
    // The first signal is handled as soon as the command line listens. One that is sent earlier
    // ends the process by itself.
    while (run.process.exitCode === null && run.process.signalCode === null) {
      run.process.kill('SIGINT');
      await sleep(200);
    }
    expect((await run.ended).code).toBe(130);
    expect(await isGone(engine)).toBe(true);
  },
);
