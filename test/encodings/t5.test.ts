import { describe, expect, it } from 'vitest';
import { t5, t5Bucket } from '../../src/encodings/registry.js';

/** First distance of each bucket up to 2047. */
const firsts = (buckets: number, max: number): number[] => {
  const all = Array.from({ length: 2048 }, (_, d) => t5Bucket(d, buckets, max));
  return Array.from({ length: buckets }, (_, b) => all.indexOf(b));
};

describe('T5 buckets', () => {
  // transformers 5.23, T5Attention._relative_position_bucket(-distance, bidirectional=False)
  it('begin where transformers has them begin', () => {
    const exact = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    const wide = [16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113];
    expect(firsts(32, 128)).toEqual([...exact, ...wide]);
    expect(firsts(16, 64)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 14, 18, 23, 30, 39, 50]);
  });

  it('share the last one from the maximal distance on', () => {
    expect([128, 1000, 1e6].map((d) => t5Bucket(d, 32, 128))).toEqual([31, 31, 31]);
  });

  it('give each head the trained bias of a distance’s bucket', () => {
    const values = Float32Array.from({ length: 32 * 2 }, (_, i) => i);
    const { bias } = t5.inputs(200, { width: 8, heads: 2 }, { values, rows: 32, columns: 2 });
    expect([bias![0], bias![200], bias![20], bias![199], bias![399]]).toEqual([0, 1, 34, 62, 63]);
  });

  it('need a table of the right shape', () => {
    expect(() => t5.inputs(4, { width: 8, heads: 2 })).toThrow(RangeError);
  });
});
