import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeFrequencies } from '../../src/geometry/transfer.js';
import { type Context, writeFacts } from '../../src/probes/contexts.js';
import { type Batch, type ProbeEngine, sharedTable } from '../../src/subjects/bundled/engine.js';
import { loadFamily } from '../../src/subjects/bundled/family.js';
import { openSession } from '../../src/subjects/bundled/session.js';
import { language } from '../helpers/language.js';

function batchOf(contexts: readonly Context[], length: number, theta: number, shift = 0): Batch {
  const kept = contexts.map((c) => c.rows.filter((row) => row < length).length);
  const score = Math.max(...kept);
  const fill = (f: (c: Context, i: number) => number, width: number): BigInt64Array =>
    BigInt64Array.from(
      contexts.flatMap((c) => Array.from({ length: width }, (_, i) => BigInt(f(c, i)))),
    );
  return {
    tokens: fill((c, i) => c.tokens[i]!, length),
    positions: fill((_, i) => i, length),
    scored: fill((c, i) => (c.rows[i]! < length ? c.rows[i]! : 0), score),
    targets: fill((c, i) => c.targets[i] ?? 0, score),
    batch: contexts.length,
    length,
    score,
    rotary: sharedTable(
      { invFreq: probeFrequencies(theta, 32), attentionScaling: 1 },
      Array.from({ length }, (_, i) => i + shift),
    ),
  };
}

const largest = (a: Float32Array, b: Float32Array, n = a.length): number =>
  a.slice(0, n).reduce((m, x, i) => Math.max(m, Math.abs(x - b[i]!)), 0);

describe('the probe decoder', () => {
  const contexts = [0, 1].map((i) =>
    writeFacts({ language, rungs: [256, 512], questionsPerRung: 6, copies: false }, 1, i),
  );
  let engine: ProbeEngine;
  let portable: ProbeEngine;
  let theta: number;

  beforeAll(async () => {
    const family = await loadFamily();
    const request = { member: family.members[0]!.name, device: 'cpu', threads: 1 } as const;
    theta = family.members[0]!.theta;
    engine = await openSession(request);
    portable = await openSession(request, 'portable');
  });
  afterAll(() => Promise.all([engine.close(), portable.close()]));

  it.each([512, 511, 301, 250])(
    'gives the same in chunks as at once: %d tokens',
    async (length) => {
      const batch = batchOf(contexts, length, theta);
      const [a, b] = [await engine.run(batch), await portable.run(batch)];
      expect(largest(a.logProbability, b.logProbability)).toBeLessThan(2e-4);
    },
  );

  it('gives the same for the same input', async () => {
    const batch = batchOf(contexts, 256, theta);
    const [a, b] = [await engine.run(batch), await engine.run(batch)];
    expect(a.logProbability).toEqual(b.logProbability);
  });

  it('reads a prefix alike, whatever follows', async () => {
    const one = contexts.slice(0, 1);
    const [short, long] = [
      await engine.run(batchOf(one, 256, theta)),
      await engine.run(batchOf(one, 512, theta)),
    ];
    const n = short.logProbability.length;
    expect(largest(short.logProbability, long.logProbability, n)).toBeLessThan(1e-4);
  });

  it('depends on relative positions alone', async () => {
    const [a, b] = [
      await engine.run(batchOf(contexts, 256, theta)),
      await engine.run(batchOf(contexts, 256, theta, 100_000)),
    ];
    expect(largest(a.logProbability, b.logProbability)).toBeLessThan(1e-4);
  });

  it('returns log-probabilities', async () => {
    const { logProbability, correct } = await engine.run(batchOf(contexts, 512, theta));
    expect(logProbability.every((p) => p <= 0 && Number.isFinite(p))).toBe(true);
    logProbability.forEach((p, i) => {
      if (p > Math.log(0.5)) expect(correct[i]).toBe(1);
    });
  });
});
