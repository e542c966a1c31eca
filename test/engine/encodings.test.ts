import { afterAll, beforeAll, expect, it } from 'vitest';
import { ENCODINGS } from '../../src/encodings/registry.js';
import { type EncodingsCard, loadEncodings, ownTable } from '../../src/encodings/twins.js';
import { probeFrequencies } from '../../src/geometry/transfer.js';
import { writeText } from '../../src/probes/contexts.js';
import { type Batch, type ProbeEngine, sharedTable } from '../../src/subjects/bundled/engine.js';
import { openSession } from '../../src/subjects/bundled/session.js';
import { language } from '../helpers/language.js';

const LENGTH = 256;
const context = writeText({ language, rungs: [LENGTH], span: LENGTH }, 1, 0);

/** (1, length) of the same text, with every target inside it. */
function batchOf(length: number, invFreq: Float64Array): Batch {
  const score = context.rows.filter((row) => row < length).length;
  const all = Array.from({ length }, (_, t) => t);
  return {
    tokens: BigInt64Array.from(all, (t) => BigInt(context.tokens[t]!)),
    positions: BigInt64Array.from(all, BigInt),
    scored: BigInt64Array.from(context.rows.slice(0, score), BigInt),
    targets: BigInt64Array.from(context.targets.slice(0, score), BigInt),
    batch: 1,
    length,
    score,
    rotary: sharedTable({ invFreq, attentionScaling: 1 }, all),
  };
}

const largest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((m, x, i) => Math.max(m, Math.abs(x - b[i]!)), 0);

let card: EncodingsCard;
const engines: ProbeEngine[] = [];
async function open(member: string): Promise<ProbeEngine> {
  const engine = await openSession({ member, graph: 'encodings', device: 'cpu', threads: 1 });
  engines.push(engine);
  return engine;
}
beforeAll(async () => {
  card = await loadEncodings();
});
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

it('RoPE on the graph of the encodings depends on relative positions alone', async () => {
  const { name, theta } = card.rope;
  const engine = await open(name);
  const batch = batchOf(256, probeFrequencies(theta, card.shape.head_dim / 2));
  const shifted = { ...batch, positions: batch.positions.map((p) => p + 1000n) };
  const rotary = sharedTable(
    { invFreq: probeFrequencies(theta, card.shape.head_dim / 2), attentionScaling: 1 },
    Array.from({ length: 1256 }, (_, t) => t),
  );
  const [a, b] = [await engine.run({ ...batch, rotary }), await engine.run({ ...shifted, rotary })];
  expect(largest(a.logProbability, b.logProbability)).toBeLessThan(1e-4);
  const still = await engine.run(batchOf(256, new Float64Array(card.shape.head_dim / 2)));
  expect(largest(a.logProbability, still.logProbability)).toBeGreaterThan(1e-3);
});

it.each(['sinusoidal', 'learned', 't5', 'alibi'] as const)(
  'the %s twin is told of positions, and a prefix reads alike whatever follows',
  async (name) => {
    const twin = card.twins.find((t) => t.encoding === name)!;
    const engine = await open(twin.name);
    const table = await ownTable(twin);
    const run = async (length: number, placed = true) => {
      const place = placed ? ENCODINGS[name].inputs(length, card.shape, table) : {};
      const still = new Float64Array(card.shape.head_dim / 2);
      return (await engine.run({ ...batchOf(length, still), place })).logProbability;
    };
    const [half, whole] = [await run(128), await run(256)];
    expect(largest(half, whole)).toBeLessThan(1e-4);
    expect(whole.every((p) => p <= 0 && Number.isFinite(p))).toBe(true);
    expect(largest(whole, await run(256, false))).toBeGreaterThan(1e-3);
  },
);
