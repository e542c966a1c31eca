import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { probeFrequencies } from '../../src/geometry/transfer.js';
import {
  type Batch,
  type EngineRequest,
  type ProbeEngine,
  sharedTable,
} from '../../src/subjects/bundled/engine.js';
import { loadFamily } from '../../src/subjects/bundled/family.js';
import { openSession } from '../../src/subjects/bundled/session.js';
import { build, ROOT } from '../helpers/built.js';

/** The engines run as processes of the built package. */
let openPool: (request: EngineRequest, longest: number) => Promise<ProbeEngine>;
const [member] = (await loadFamily()).members;
const request = { member: member!.name, device: 'cpu', threads: 2 } as const;

beforeAll(async () => {
  await build();
  const url = pathToFileURL(join(ROOT, 'dist/subjects/bundled/pool.js')).href;
  ({ openPool } = (await import(url)) as typeof import('../../src/subjects/bundled/pool.js'));
}, 120_000);

const invFreq = probeFrequencies(member!.theta, 32, member!.rotaryShare);

/** Makes one context of consecutive tokens, with every row scored. */
function batchOf(first: number, length = 64): Batch {
  const positions = Array.from({ length }, (_, t) => t);
  const rows = BigInt64Array.from(positions, BigInt);
  return {
    tokens: BigInt64Array.from(positions, (t) => BigInt((first + t) % 256)),
    batch: 1,
    length,
    positions: rows,
    scored: rows,
    targets: BigInt64Array.from(positions, (t) => BigInt((first + t + 1) % 256)),
    score: length,
    rotary: sharedTable({ invFreq, attentionScaling: 1 }, positions),
  };
}

it('runs as many batches at once as it has engines, with the results of one', async () => {
  const pool = await openPool(request, 256);
  const single = await openSession({ ...request, threads: 1 });
  try {
    expect(pool.lanes).toBe(2);
    expect(pool.info).toMatchObject({ device: 'cpu', threads: 2 });
    const batches = [batchOf(3), batchOf(90)];
    const together = await Promise.all(batches.map((batch) => pool.run(batch)));
    for (const [i, batch] of batches.entries())
      expect(together[i]!.logProbability).toEqual((await single.run(batch)).logProbability);
    const [, , third] = await Promise.allSettled([3, 4, 5].map((n) => pool.run(batchOf(n))));
    expect(third).toMatchObject({ status: 'rejected' });
  } finally {
    await Promise.all([pool.close(), single.close()]);
  }
}, 60_000);

it('opens fewer engines for contexts that take much memory', async () => {
  const pool = await openPool({ ...request, threads: 4 }, 10_240);
  expect(pool.lanes).toBe(3);
  await pool.close();
}, 60_000);

it('says what is wrong where a model cannot be opened', async () => {
  await expect(openPool({ ...request, member: 'nobody' }, 256)).rejects.toMatchObject({
    kind: 'engine_died',
  });
}, 60_000);
