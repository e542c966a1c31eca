import { describe, expect, it } from 'vitest';
import { alibi, alibiSlopes } from '../../src/encodings/registry.js';

describe('ALiBi', () => {
  // Press et al. 2022, section 3: 8 heads have 1/2, 1/4, ... 1/256; 16 start at 2^-0.5.
  it('has the slopes of the paper', () => {
    expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
    expect(alibiSlopes(4)).toEqual([0.25, 0.0625, 0.015625, 0.00390625]);
    expect(alibiSlopes(16)[0]).toBeCloseTo(Math.SQRT1_2, 12);
  });

  // transformers' build_alibi_tensor(ones(1, 3), 12, float32)[:, 0, 1]
  it('fills up a number of heads that is no power of two as BLOOM does', () => {
    const wanted = [
      0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625, 0.7071067690849304,
      0.3535533845424652, 0.1767766773700714, 0.0883883386850357,
    ];
    alibiSlopes(12).forEach((slope, h) => expect(slope).toBeCloseTo(wanted[h]!, 6));
  });

  it('penalises each distance by its head’s slope', () => {
    const { bias, added } = alibi.inputs(3, { width: 8, heads: 2 });
    expect(added).toBeUndefined();
    expect([...bias!].map((x) => x + 0)).toEqual([0, -1 / 16, -2 / 16, 0, -1 / 256, -2 / 256]);
  });
});
