import { describe, expect, it } from 'vitest';
import { parseCandidates, type ResolvedCandidate } from '../../src/candidates/definition.js';
import { resolveCandidate } from '../../src/candidates/resolve.js';
import { chooseReference } from '../../src/model/evidence.js';
import type { ModelGeometry } from '../../src/model/types.js';
import { computeRope } from '../../src/rope/registry.js';
import { kinds, LLAMA, read, readFixture } from '../read.js';

function resolve(text: string, model: ModelGeometry, file?: string): ResolvedCandidate {
  const [definition] = parseCandidates(text);
  if (definition === undefined) throw new Error('no candidate');
  const options = file === undefined ? {} : { readFile: () => file };
  return resolveCandidate(definition, model, chooseReference(model), options);
}

describe('a shorthand on unscaled weights', () => {
  it('multiplies the trained window, not the maximum of an overlay', () => {
    const model = read({
      ...LLAMA,
      max_position_embeddings: 16384,
      rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 4096 },
    });
    expect(resolve('yarn:8', model).specs).toEqual([
      {
        type: 'yarn',
        theta: 10000,
        rotaryDim: 128,
        factor: 8,
        originalMaxPositions: 4096,
        betaFast: 32,
        betaSlow: 1,
        truncate: true,
      },
    ]);
    expect(resolve('dynamic:2', model).specs[0]).toMatchObject({ factor: 2, maxPositions: 4096 });
    expect(resolve('none', model).specs[0]).toEqual(model.groups[0]?.unscaled);
    expect(resolve('as-configured', model).specs[0]).toEqual(model.groups[0]?.rope);
  });

  it('knows the reference by its name, whatever that is', () => {
    const linear = { ...LLAMA, rope_scaling: { rope_type: 'linear', factor: 4 } };
    expect(resolve('reference', read(linear)).specs).toEqual([read(linear).groups[0]?.unscaled]);
    const llama3 = readFixture('Meta-Llama-3.1-8B.json');
    const found = resolve('reference', llama3);
    expect(found.specs).toEqual([llama3.groups[0]?.rope]);
    expect(found.softmaxScaleRatio).toBe(1);
  });

  it('by-parts is YaRN without its temperature', () => {
    const model = read(LLAMA);
    const [yarn, parts] = ['yarn:4', 'by-parts:4'].map((text) => {
      const spec = resolve(text, model).specs[0];
      if (spec === undefined) throw new Error('no spec');
      return computeRope(spec);
    });
    expect(parts?.invFreq).toEqual(yarn?.invFreq);
    expect(parts?.attentionScaling).toBe(1);
    expect(yarn?.attentionScaling).toBeCloseTo(1.138629436, 9);
  });

  it('theta replaces the base and drops any scaling', () => {
    const model = read({ ...LLAMA, rope_scaling: { type: 'linear', factor: 4 } });
    expect(resolve('theta:1e6', model).specs).toEqual([
      { type: 'default', theta: 1e6, rotaryDim: 128 },
    ]);
  });
});

describe('a shorthand on weights trained with a scaling', () => {
  const llama31 = readFixture('Meta-Llama-3.1-8B.json');

  it('of the same type continues it', () => {
    const found = resolve('llama3:2', llama31);
    expect(found.specs[0]).toMatchObject({ factor: 16, originalMaxPositions: 8192 });
    expect(found.findings).toEqual([]);
  });

  it('of another type carries both extensions, ends F times slower, and says what is lost', () => {
    const found = resolve('yarn:2', llama31);
    expect(found.specs[0]).toMatchObject({ type: 'yarn', factor: 16, originalMaxPositions: 8192 });
    expect(kinds(found)).toEqual(['trained_scaling_discarded']);
    const [candidate] = found.specs;
    const reference = llama31.groups[0]?.rope;
    if (candidate === undefined || reference === undefined) throw new Error('no spec');
    const slowest = (spec: typeof candidate): number => computeRope(spec).invFreq.at(-1) ?? 0;
    expect(slowest(reference) / slowest(candidate)).toBeCloseTo(2, 12);
  });

  it('starts from the theta of a trained-in NTK, whose window is whole', () => {
    const hunyuan = readFixture('Hunyuan-7B.json');
    const [trained] = hunyuan.groups.map((group) => computeRope(group.rope).invFreq);
    const theta = 10_000 * 1000 ** (128 / 126);
    const [yarn] = resolve('yarn:4', hunyuan).specs;
    expect(yarn).toMatchObject({ type: 'yarn', factor: 4, originalMaxPositions: 32_768 });
    expect(yarn?.theta).toBeCloseTo(theta, 3);
    for (const method of ['yarn', 'by-parts', 'llama3']) {
      const found = resolve(`${method}:4`, hunyuan);
      // The fast pairs are those that the weights know.
      expect(computeRope(found.specs[0]!).invFreq[1]).toBeCloseTo(trained![1]!, 12);
      expect(kinds(found)).toEqual([]);
    }
    const slower = (text: string): number =>
      trained!.at(-1)! / computeRope(resolve(text, hunyuan).specs[0]!).invFreq.at(-1)!;
    expect(slower('linear:4')).toBeCloseTo(4, 9);
    expect(slower('ntk:4')).toBeCloseTo(4, 9);
    expect(kinds(resolve('none', hunyuan))).toEqual(['trained_scaling_discarded']);
  });

  it('has no temperature as by-parts, on the softmax of DeepSeek-V3 either', () => {
    const model = readFixture('DeepSeek-V3.json');
    const found = resolve('by-parts:2', model);
    expect(found.specs[0]).not.toHaveProperty('mscaleAllDim');
    expect(computeRope(found.specs[0]!).attentionScaling).toBe(1);
    // What is left of it is 1 / sqrt(head dimension).
    expect(found.softmaxScaleRatio * model.softmaxScale).toBeCloseTo(192 ** -0.5, 12);
  });

  it('moves the softmax scale of DeepSeek-V3 with it', () => {
    const found = resolve('yarn:4', readFixture('DeepSeek-V3.json'));
    // mscale(160)² / mscale(40)², mscale(f) = 0.1 ln f + 1
    const ratio = ((0.1 * Math.log(160) + 1) / (0.1 * Math.log(40) + 1)) ** 2;
    expect(found.softmaxScaleRatio).toBeCloseTo(ratio, 12);
  });
});

describe('the layers that a candidate reaches', () => {
  it('are the global ones in Gemma 3', () => {
    const model = readFixture('gemma-3-1b-it.json');
    const { specs, findings } = resolve('linear:4', model);
    expect(specs.map((spec) => spec.type)).toEqual(['linear', 'default']);
    expect(findings).toEqual([]);
  });

  it('are all of them where there is one block, with a finding for local layers', () => {
    const found = resolve('linear:4', readFixture('Mistral-7B-v0.1.json'));
    expect(found.specs.map((spec) => spec.type)).toEqual(['linear']);
    expect(kinds(found)).toEqual(['candidate_reaches_local_layers']);
  });
});

describe('a JSON object is read as transformers would', () => {
  it('keeps a theta outside the block', () => {
    const found = resolve(
      '{"rope_type": "linear", "factor": 4}',
      read({ ...LLAMA, rope_theta: 5e5 }),
    );
    expect(found.specs[0]).toMatchObject({ type: 'linear', theta: 5e5, factor: 4 });
  });

  it('loses a theta that stood in the block it replaces, and says so', () => {
    const model = read({
      ...LLAMA,
      rope_theta: undefined,
      rope_parameters: { rope_type: 'default', rope_theta: 5e5 },
    });
    const found = resolve('{"rope_type": "linear", "factor": 4}', model);
    expect(found.specs[0]?.theta).toBe(10_000);
    expect(kinds(found)).toContain('missing_theta');
  });

  it('refuses what the model cannot read', () => {
    const phi3 = read({ ...LLAMA, model_type: 'phi3' });
    expect(() => resolve('{"rope_type": "linear", "factor": 4}', phi3)).toThrow(/reads only/);
  });
});

describe('longrope:FILE', () => {
  const list = (value: number): number[] => Array.from({ length: 64 }, () => value);

  it('reads the lists, with the trained window as the switch', () => {
    const file = JSON.stringify({ short_factor: list(1), long_factor: list(4), factor: 4 });
    const [spec] = resolve('longrope:f.json', read(LLAMA), file).specs;
    expect(spec).toMatchObject({ type: 'longrope', originalMaxPositions: 4096, factor: 4 });
  });

  it('refuses lists of another length', () => {
    const file = JSON.stringify({ short_factor: list(1), long_factor: [1, 2] });
    expect(() => resolve('longrope:f.json', read(LLAMA), file)).toThrow(/\b2 .*\b64\b/);
  });
});
