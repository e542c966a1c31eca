import { describe, expect, test } from 'vitest';
import { costOf, decodeKeys, type LayerSpan, meanPrefillKeys } from '../../src/geometry/analyse.js';
import type { CostReport } from '../../src/geometry/schema.js';
import type { ModelGeometry } from '../../src/model/types.js';
import { deepseekV3, gemma3, llama2, llama31 } from './models.js';

const cost = (model: ModelGeometry, trainedWindow: number, lengths: number[]): CostReport => {
  const report = costOf(model, { trainedWindow, lengths, dtype: 'bfloat16', bandwidthGBps: 1000 });
  if (report === null) throw new Error('no cost');
  return report;
};

describe('KV cache', () => {
  test('Llama 2 7B: 0.5 MiB a token, 2 GiB at 4096', () => {
    // 2 x 32 layers x 32 heads x 128 x 2 bytes.
    const report = cost(llama2, 4096, [4096]);
    expect(report.kvBytesPerToken).toBe(512 * 1024);
    expect(report.lengths[0]?.kvBytes).toBe(2 * 1024 ** 3);
  });

  test('Llama 3.1 8B: a quarter of it, by grouped-query attention', () => {
    expect(cost(llama31, 131072, []).kvBytesPerToken).toBe(128 * 1024);
  });

  test('DeepSeek-V3: one latent of 512 and one rotated key of 64 for all heads', () => {
    // DeepSeek-V2 (arXiv:2405.04434), table 1: (d_c + d_h^R) a layer.
    expect(cost(deepseekV3, 4096, []).kvBytesPerToken).toBe(61 * 576 * 2);
  });

  test('sliding windows stop growing', () => {
    const { lengths, kvGrowthPerToken } = cost(gemma3, 32768, [512, 513, 32768]);
    const perLayer = 2 * 256 * 2;
    expect(lengths[0]?.kvBytes).toBe(26 * 512 * perLayer);
    expect((lengths[1]?.kvBytes ?? 0) - (lengths[0]?.kvBytes ?? 0)).toBe(4 * perLayer);
    expect(lengths[2]?.kvBytes).toBe((22 * 512 + 4 * 32768) * perLayer);
    expect(kvGrowthPerToken).toBe(4 * perLayer);
  });

  test('layers without RoPE keep the whole context', () => {
    const half: ModelGeometry = {
      ...gemma3,
      groups: gemma3.groups.slice(1),
      layersWithoutRope: [5, 11, 17, 23],
    };
    expect(cost(half, 32768, [32768]).lengths).toEqual(cost(gemma3, 32768, [32768]).lengths);
  });

  test('reading it once at 1000 GB/s', () => {
    expect(cost(llama2, 4096, [4096]).lengths[0]?.decodeReadMs).toBeCloseTo(2.147, 3);
  });
});

describe('attention', () => {
  const span = (kind: LayerSpan['kind'], window: number | null): LayerSpan => ({
    count: 1,
    kind,
    window,
  });
  const mean = (tokens: number, keys: (position: number) => number): number => {
    let sum = 0;
    for (let position = 0; position < tokens; position++) sum += keys(position);
    return sum / tokens;
  };

  test.each([7, 16, 100])('mean keys of a causal prefill of %d, counted', (tokens) => {
    expect(meanPrefillKeys(span('global', null), tokens)).toBeCloseTo(mean(tokens, (p) => p + 1));
    expect(meanPrefillKeys(span('sliding', 10), tokens)).toBeCloseTo(
      mean(tokens, (p) => Math.min(p + 1, 10)),
    );
    expect(meanPrefillKeys(span('chunked', 10), tokens)).toBeCloseTo(
      mean(tokens, (p) => (p % 10) + 1),
    );
  });

  test('keys of the next token', () => {
    expect(decodeKeys(span('global', null), 100)).toBe(100);
    expect(decodeKeys(span('sliding', 10), 100)).toBe(10);
    expect(decodeKeys(span('sliding', 10), 4)).toBe(4);
  });

  test('Llama 2: 2 x 2 x 32 heads x 128 x keys x 32 layers', () => {
    const [row] = cost(llama2, 4096, [8192]).lengths;
    expect(row?.decodeFlopsPerToken).toBe(4 * 32 * 128 * 8192 * 32);
    expect(row?.decodeMultiple).toBe(2);
    expect(row?.prefillMultiple).toBeCloseTo(2, 3);
  });

  test('with local layers a 4x window costs less than 4x', () => {
    const [row] = cost(gemma3, 32768, [131072]).lengths;
    expect(row?.decodeMultiple).toBeCloseTo((4 * 131072 + 22 * 512) / (4 * 32768 + 22 * 512), 9);
  });
});

test('no cost without a cache: encoders, and models without attention layers', () => {
  const options = {
    trainedWindow: 512,
    lengths: [512],
    dtype: 'bfloat16',
    bandwidthGBps: null,
  } as const;
  expect(costOf({ ...llama2, bidirectional: true }, options)).toBeNull();
  expect(costOf({ ...llama2, groups: [] }, options)).toBeNull();
});

test('half the bytes, half the cache', () => {
  const options = { trainedWindow: 4096, lengths: [4096], bandwidthGBps: null } as const;
  const sixteen = costOf(llama2, { ...options, dtype: 'float16' });
  const eight = costOf(llama2, { ...options, dtype: 'int8' });
  expect(eight?.lengths[0]?.kvBytes).toBe((sixteen?.lengths[0]?.kvBytes ?? 0) / 2);
  expect(eight?.lengths[0]?.decodeReadMs).toBeNull();
});
