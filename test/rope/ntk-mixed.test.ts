import { describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { shorthandSpec } from '../../src/candidates/resolve.js';
import { emit } from '../../src/emit/index.js';
import { computeRope, type RopeSpec } from '../../src/rope/registry.js';
import { configText, flag, inputFor } from '../emit/input.js';

const base = { theta: 10_000, rotaryDim: 128 } as const;
const plain: RopeSpec = { type: 'default', ...base };

function made(text: string, trained: RopeSpec = plain): RopeSpec {
  const [definition] = parseCandidates(text);
  if (definition === undefined || !('factor' in definition)) throw new Error('no shorthand');
  return shorthandSpec(definition, trained, 4096);
}

function divisors(spec: RopeSpec): readonly number[] {
  const known = computeRope(plain).invFreq;
  return [...computeRope(spec).invFreq].map((frequency, pair) => known[pair]! / frequency);
}

describe('ntk-mixed', () => {
  it('divides pair m of 64 by factor^((m / 64)^b), as vLLM’s `ntk` with mixed_b', () => {
    const found = divisors(made('ntk-mixed:4'));
    // exp(a m^b) with a = ln 4 / 64^0.625: kexue.fm/archives/9706
    const a = Math.log(4) / 64 ** 0.625;
    for (const m of [1, 2, 32, 64]) expect(found[m - 1]).toBeCloseTo(Math.exp(a * m ** 0.625), 12);
    expect(found[0]).toBeCloseTo(1.1085, 4);
    expect(found[63]).toBeCloseTo(4, 12);
    expect(computeRope(made('ntk-mixed:4')).attentionScaling).toBe(1);
  });

  it('with exponent 1 is one larger base for all pairs', () => {
    const found = divisors(made('ntk-mixed:4:mixed_b=1'));
    for (const m of [1, 17, 64]) expect(found[m - 1]).toBeCloseTo(4 ** (m / 64), 10);
  });

  it('continues itself on weights that were trained with it', () => {
    const trained: RopeSpec = { type: 'ntk-mixed', ...base, factor: 2, mixedB: 0.5 };
    expect(made('ntk-mixed:4', trained)).toMatchObject({ factor: 8, mixedB: 0.5 });
  });

  it('is written for vLLM, the one engine that knows it', () => {
    const input = inputFor(configText('Llama-2-7b-hf'), () => made('ntk-mixed:4'), 16_384);
    const [vllm, ...others] = emit(input, ['vllm', 'hf', 'sglang', 'llama.cpp', 'tgi', 'ollama']);
    if (!vllm?.ok) throw new Error('refused');
    expect(JSON.parse(flag(vllm.settings[0]?.text ?? '', '--hf-overrides'))).toEqual({
      rope_parameters: { rope_type: 'ntk', factor: 4, mixed_b: 0.625, rope_theta: 10_000 },
      max_position_embeddings: 16_384,
    });
    for (const other of others) expect(other.ok).toBe(false);
  });
});

describe('yarn-critical', () => {
  it('is YaRN whose ramp ends where LongRoPE2 measured pairs to be undertrained', () => {
    const spec = made('yarn-critical:4');
    expect(spec).toEqual({ ...made('yarn:4'), betaSlow: 2.7 });
    // Llama-3-8B: pair 30 turns 2.8 times over 8,192 tokens, pair 31 2.3 times.
    const llama3 = { ...spec, theta: 500_000, originalMaxPositions: 8192, truncate: false };
    const unscaled = computeRope({ type: 'default', theta: 500_000, rotaryDim: 128 }).invFreq;
    const { invFreq } = computeRope(llama3);
    expect(unscaled[31]! / invFreq[31]!).toBeCloseTo(4, 10);
    expect(unscaled[29]! / invFreq[29]!).toBeLessThan(4);
  });

  it('takes another end', () => {
    expect(made('yarn-critical:4:beta_slow=2')).toMatchObject({ betaSlow: 2 });
  });
});
