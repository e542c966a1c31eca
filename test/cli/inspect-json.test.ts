import { describe, expect, it } from 'vitest';
import type { InspectData } from '../../src/report/schema/inspect.js';
import { type GoldenCase, goldenLines } from '../golden-cases.js';
import { runCli } from '../helpers/environment.js';

/** docs/json-inspect.md: what another program reads, over the same interface. */
async function inspect(config: unknown, ...options: string[]): Promise<InspectData> {
  const ran = await runCli(['inspect', '-', '--json', ...options], {
    stdin: JSON.stringify(config),
  });
  expect(ran.stderr).toBe('');
  expect(ran.code).toBe(0);
  return JSON.parse(ran.stdout) as InspectData;
}

describe('inspect --json gives what transformers computes', () => {
  it.each(goldenLines<GoldenCase>('rope.jsonl').map((golden) => [golden.id, golden] as const))(
    '%s',
    async (_id, { config, seq_len, layer_type, expected, info }) => {
      const length = seq_len === null ? [] : ['--seq-len', String(seq_len)];
      const { layerTypes } = await inspect(config, ...length);
      const table = layerTypes[layer_type ?? Object.keys(layerTypes)[0] ?? ''];
      expect(table?.invFreq.length).toBe(expected.inv_freq.length);
      table?.invFreq.forEach((frequency, pair) => {
        const wanted = expected.inv_freq[pair] ?? Number.NaN;
        expect(Math.abs(frequency - wanted)).toBeLessThanOrEqual(1e-6 * wanted);
      });
      const ratio = (table?.attentionScaling ?? 0) / expected.attention_scaling;
      expect(Math.abs(ratio - 1)).toBeLessThanOrEqual(1e-12);
      expect(table).toMatchObject({
        rotaryDim: expected.rotary_dim,
        headDim: expected.head_dim,
        layersWithoutRope: info.layers_without_rope ?? [],
        ...(info.layout !== undefined && { layout: info.layout }),
        ...(info.rope_theta !== undefined && { theta: info.rope_theta }),
      });
      if (info.softmax_scale !== undefined) {
        expect((table?.softmaxScale ?? 0) / info.softmax_scale).toBeCloseTo(1, 12);
      }
    },
  );
});

it('heads that differ by layer type each have their own size (Gemma 4)', async () => {
  const { layerTypes } = await inspect({
    model_type: 'gemma4_text',
    hidden_size: 2816,
    num_attention_heads: 16,
    num_key_value_heads: 8,
    head_dim: 256,
    global_head_dim: 512,
    num_hidden_layers: 6,
    max_position_embeddings: 262_144,
    sliding_window: 1024,
  });
  expect(layerTypes['full_attention']?.headDim).toBe(512);
  expect(layerTypes['sliding_attention']?.headDim).toBe(256);
});

it('pairs in the order in which the class holds them (Ernie 4.5 VL)', async () => {
  const { layerTypes } = await inspect({
    model_type: 'ernie4_5_vl_moe_text',
    hidden_size: 2560,
    num_attention_heads: 20,
    num_hidden_layers: 2,
    max_position_embeddings: 131_072,
    rope_theta: 500_000,
  });
  // transformers 5.23: even pairs, odd pairs, then those of time.
  const { invFreq = [] } = layerTypes['full_attention'] ?? {};
  const pair = (index: number): number => 500_000 ** (-index / 64);
  [0, 2, 4].forEach((index, at) => expect(invFreq[at]).toBeCloseTo(pair(index), 9));
  [1, 3].forEach((index, at) => expect(invFreq[22 + at]).toBeCloseTo(pair(index), 9));
  expect(invFreq[63]).toBeCloseTo(pair(63), 12);
});
