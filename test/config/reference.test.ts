import { describe, expect, it } from 'vitest';
import {
  chooseReference,
  referenceRope,
  referenceSoftmaxScale,
  TRAINED_IN,
  trainedWindowOf,
} from '../../src/model/evidence.js';
import { LLAMA, read, readFixture } from '../read.js';

const YARN = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32768 };
const QWEN = { ...LLAMA, model_type: 'qwen2', max_position_embeddings: 131072, rope_scaling: YARN };

describe('the reference', () => {
  it('of a YaRN overlay is unscaled, on the original window, whatever the maximum says', () => {
    const model = read(QWEN);
    const reference = chooseReference(model);
    expect(reference).toEqual({
      kind: 'unscaled',
      trainedWindow: 32768,
      evidence: 'overlay',
      alternative: { kind: 'configured', trainedWindow: 131072 },
    });
    expect(model.groups.map((group) => referenceRope(group, reference).type)).toEqual(['default']);
  });

  it('of an overlay without an original window is on max_position_embeddings', () => {
    const model = read({ ...LLAMA, rope_scaling: { type: 'linear', factor: 4 } });
    expect(chooseReference(model)).toMatchObject({ kind: 'unscaled', trainedWindow: 4096 });
  });

  it('of DeepSeek-V3 is as configured, softmax factor included', () => {
    const model = readFixture('DeepSeek-V3.json');
    const reference = chooseReference(model);
    expect(reference.kind).toBe('configured');
    expect(referenceSoftmaxScale(model, reference)).toBe(model.softmaxScale);
    expect(referenceSoftmaxScale(model, { kind: 'unscaled' })).toBeCloseTo(1 / Math.sqrt(192), 14);
  });

  it('of a default block is that of no block', () => {
    const model = read({ ...LLAMA, rope_scaling: { rope_type: 'default' } });
    expect(chooseReference(model)).toEqual({
      kind: 'unscaled',
      trainedWindow: 4096,
      evidence: 'no-scaling',
    });
  });

  it('is what the user says', () => {
    const reference = chooseReference(read(QWEN), {
      reference: 'configured',
      trainedWindow: 65536,
    });
    expect(reference).toEqual({ kind: 'configured', trainedWindow: 65536, evidence: 'option' });
  });

  it('refuses a trained window that is no length', () => {
    expect(() => chooseReference(read(QWEN), { trainedWindow: 0.5 })).toThrow(/whole number/);
  });

  it('gives sliding layers their window', () => {
    const model = readFixture('gemma-3-1b-it.json');
    const reference = chooseReference(model);
    expect(model.groups.map((group) => trainedWindowOf(group, reference))).toEqual([32768, 512]);
  });

  it('cites a source for every trained-in scaling', () => {
    for (const row of TRAINED_IN) expect(row.source.length).toBeGreaterThan(20);
    expect(new Set(TRAINED_IN.map((row) => row.key)).size).toBe(TRAINED_IN.length);
    expect(Object.isFrozen(TRAINED_IN)).toBe(true);
  });
});
