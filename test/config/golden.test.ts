import { describe, expect, it } from 'vitest';
import type { LayerGroup } from '../../src/model/types.js';
import { computeRope } from '../../src/rope/registry.js';
import { type GoldenCase, goldenLines } from '../golden-cases.js';
import { read } from '../read.js';

/** Largest relative difference. A zero must be exactly zero. */
function worst(found: Float64Array, wanted: readonly number[]): number {
  return wanted.reduce((most, value, index) => {
    const difference = Math.abs((found[index] ?? Number.NaN) - value);
    return Math.max(most, value === 0 ? difference : difference / value);
  }, 0);
}

function groupsOf(golden: GoldenCase): readonly LayerGroup[] {
  const { groups } = read(golden.config);
  return golden.layer_type === null
    ? groups
    : groups.filter((group) => group.layerType === golden.layer_type);
}

describe.each(['rope.jsonl', 'more.jsonl'])(
  '%s: every config gives the frequencies of transformers',
  (file) => {
    it.each(goldenLines<GoldenCase>(file).map((golden) => [golden.id, golden] as const))(
      '%s',
      (_id, golden) => {
        const groups = groupsOf(golden);
        expect(groups.length).toBeGreaterThan(0);
        for (const group of groups) {
          const table = computeRope(group.rope, golden.seq_len ?? undefined);
          expect(table.invFreq.length).toBe(golden.expected.inv_freq.length);
          expect(worst(table.invFreq, golden.expected.inv_freq)).toBeLessThanOrEqual(1e-6);
          const scaling = golden.expected.attention_scaling;
          expect(Math.abs(table.attentionScaling / scaling - 1)).toBeLessThanOrEqual(1e-12);
          expect(group.rope.rotaryDim).toBe(golden.expected.rotary_dim);
        }
      },
    );
  },
);

describe('rope.jsonl: what surrounds the frequencies', () => {
  const NAMES: Readonly<Record<string, string>> = { ntk_alpha: 'ntk' };

  it.each(goldenLines<GoldenCase>('rope.jsonl').map((golden) => [golden.id, golden] as const))(
    '%s',
    (_id, golden) => {
      const model = read(golden.config);
      const { info } = golden;
      expect(model.attention.headDim).toBe(golden.expected.head_dim);
      if (info.layout !== undefined) expect(model.layout).toBe(info.layout);
      expect(model.layersWithoutRope).toEqual(info.layers_without_rope ?? []);
      if (info.softmax_scale !== undefined) {
        expect(model.softmaxScale / info.softmax_scale).toBeCloseTo(1, 12);
      }
      for (const group of groupsOf(golden)) {
        if (info.rope_type !== undefined) {
          expect(group.rope.type).toBe(NAMES[info.rope_type] ?? info.rope_type);
        }
        if (info.rope_theta !== undefined) expect(group.rope.theta).toBe(info.rope_theta);
        if (info.layers_of_this_type !== undefined) {
          expect(group.layers).toEqual(info.layers_of_this_type);
        }
      }
    },
  );
});
