import { describe, expect, it } from 'vitest';
import { editedRecord, emit, type EmitInput } from '../../src/emit/index.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { v4Versions } from '../../src/emit/engines/hf.js';
import { editsOf, inputFor, linear, QWEN3, yarn } from './input.js';

/** The versions of the `rope_scaling` form, and the notes on them. */
function v4(input: EmitInput, version?: string) {
  const [emission] = emit(input, ['hf'], version);
  if (!emission?.ok) throw new Error('refused');
  return {
    versions: emission.settings[0]?.versions,
    notes: emission.notes.filter(({ text }) => text.startsWith('transformers 4')),
  };
}

const raised = JSON.stringify({
  ...(JSON.parse(QWEN3) as object),
  max_position_embeddings: 131_072,
});

// The behaviour of each version, from transformers/modeling_rope_utils.py,
// _compute_yarn_parameters.
describe('YaRN in transformers 4', () => {
  it('with the window of the weights is no scaling from 4.51 to 4.55', () => {
    const input = inputFor(QWEN3, yarn(4, 40_960), 163_840);
    const { versions, notes } = v4Versions(input, 40_960);
    expect(versions).toMatch(/^transformers 4\.45 to 4\.50, 4\.56 and later/);
    expect(notes).toHaveLength(1);
    expect(notes[0]?.text).toMatch(/4\.51 to 4\.55 .* 1: .*\b163840\b/);
  });

  it('with a raised window has another ramp up to 4.50', () => {
    const { versions, notes } = v4(inputFor(raised, yarn(4, 32_768), 131_072));
    expect(versions).toMatch(/^transformers 4\.51 and later/);
    expect(notes).toHaveLength(1);
    expect(notes[0]?.text).toMatch(/4\.45 to 4\.50 .*\b131072\b.*\b32768\b/);
  });

  it('carries the stretched window, which is right since 4.51', () => {
    const { versions } = v4(inputFor(QWEN3, yarn(4, 40_960), 163_840));
    expect(versions).toMatch(/^transformers 4\.51 and later/);
    // A file that was raised for a larger factor is lowered again.
    const smaller = inputFor(raised, yarn(2, 32_768), 65_536);
    expect(v4(smaller).versions).toMatch(/^transformers 4\.51 and later/);
    expect(editedRecord(smaller.raw, editsOf(smaller, 'v4'))).toMatchObject({
      max_position_embeddings: 65_536,
    });
  });

  it('holds in every patch release of a minor version', () => {
    const input = inputFor(QWEN3, yarn(4, 40_960), 163_840);
    for (const version of ['4.51.3', '4.54.2', '4.55.4', '4.57.6']) {
      expect(v4(input, version).versions).toMatch(/^transformers 4\.51 and later/);
    }
    expect(v4(input, '4.50.3').versions).toMatch(/^transformers 4\.45 to 4\.50/);
  });

  it('keeps the window of the weights for a version that takes the ramp from it', () => {
    const [emission] = emit(inputFor(QWEN3, yarn(4, 40_960), 163_840), ['hf'], '4.48');
    if (!emission?.ok) throw new Error('refused');
    expect(emission.settings).toHaveLength(1);
    expect(emission.settings[0]?.versions).toMatch(/^transformers 4\.45 to 4\.50/);
    expect(JSON.parse(emission.settings[0]?.text ?? '')).not.toHaveProperty(
      'max_position_embeddings',
    );
    // 4.51 to 4.55 would then ignore the scaling in the file.
    expect(v4(inputFor(QWEN3, yarn(4, 40_960), 163_840), '4.53').versions).toMatch(
      /^transformers 4\.51/,
    );
  });

  it('with a window raised by another factor needs 4.56', () => {
    const { versions, notes } = v4Versions(inputFor(raised, yarn(2, 32_768), 65_536), 131_072);
    expect(versions).toMatch(/^transformers 4\.56 and later/);
    expect(notes.map(({ text }) => text).join()).toMatch(/ 4\. .*\b65536\b/);
  });

  it('has truncate since 4.55 and mscale since 4.51', () => {
    const exact = v4(inputFor(raised, yarn(4, 32_768, { truncate: false }), 131_072));
    expect(exact.versions).toMatch(/^transformers 4\.55 and later/);
    const mscale = v4Versions(
      inputFor(QWEN3, yarn(4, 40_960, { mscale: 1, mscaleAllDim: 1 }), 163_840),
      40_960,
    );
    expect(mscale.versions).toMatch(/^transformers 4\.56 and later/);
    expect(mscale.notes).toHaveLength(2);
  });
});

it('linear means the same in all of them', () => {
  const { versions, notes } = v4(inputFor(QWEN3, linear(4), 163_840));
  expect(versions).toMatch(/^transformers 4\.45 and later/);
  expect(notes).toEqual([]);
});

describe('longrope in transformers 4', () => {
  const longrope =
    (factor: number) =>
    ({ theta, rotaryDim }: RopeSpec): RopeSpec => ({
      type: 'longrope',
      theta,
      rotaryDim,
      factor,
      shortFactor: Array.from({ length: rotaryDim / 2 }, () => 1),
      longFactor: Array.from({ length: rotaryDim / 2 }, () => 4),
      originalMaxPositions: 40_960,
    });

  it('has its original window at the top level, the only place that 4 reads', () => {
    const input = inputFor(QWEN3, longrope(4), 163_840);
    const key = 'original_max_position_embeddings';
    expect(editedRecord(input.raw, editsOf(input, 'v4'))).toMatchObject({
      [key]: 40_960,
      max_position_embeddings: 163_840,
      rope_scaling: { [key]: 40_960 },
    });
    expect(editedRecord(input.raw, editsOf(input, 'v5'))).not.toHaveProperty(key);
    expect(v4(input).versions).toMatch(/^transformers 4\.48 and later/);
  });

  it('has a factor of its own only in transformers 5', () => {
    const { versions, notes } = v4(inputFor(QWEN3, longrope(2), 163_840));
    expect(versions).toMatch(/^transformers 5/);
    expect(notes[0]?.text).toMatch(/\b81920\b/);
  });
});
