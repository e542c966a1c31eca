import { required, type PositionEncoding } from './types.js';

/** Distances from here on share the last bucket (transformers' T5Config default). */
const T5_MAX_DISTANCE = 128;

/**
 * Bucket of a distance: the first half of the buckets holds one distance each, the rest grow
 * logarithmically. transformers' `T5Attention._relative_position_bucket` with
 * `bidirectional=False` (Raffel et al. 2020, section 2.1, arXiv:1910.10683).
 *
 * @param distance tokens back, >= 0
 */
export function t5Bucket(distance: number, buckets: number, maxDistance: number): number {
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return distance;
  const share = Math.log(distance / exact) / Math.log(maxDistance / exact);
  return Math.min(buckets - 1, exact + Math.floor(share * (buckets - exact)));
}

/** A trained bias for each bucket and head, (buckets, heads), shared by all layers. */
export const t5: PositionEncoding = {
  title: 'learned relative (T5)',
  inputs: (length, { heads }, table) => {
    const { values, rows } = required(table, heads);
    const bias = new Float32Array(heads * length);
    for (let d = 0; d < length; d++) {
      const bucket = t5Bucket(d, rows, T5_MAX_DISTANCE);
      for (let h = 0; h < heads; h++) bias[h * length + d] = values[bucket * heads + h]!;
    }
    return { bias };
  },
};
