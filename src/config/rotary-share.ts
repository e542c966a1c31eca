import type { LayerGroup, ModelGeometry } from './types.js';

/**
 * Share of each head that rotates, 0 to 1.
 *
 * @param invFreq (pairs,) radians per token of the group's own table; 0: the pair stands still
 */
export function rotaryShare(
  model: ModelGeometry,
  group: LayerGroup,
  invFreq: Float64Array,
): number {
  const { latent, headDim } = model.attention;
  const head = latent ? latent.ropeDim + latent.nopeDim : (group.headDim ?? headDim);
  const turning = invFreq.filter((frequency) => frequency > 0).length;
  return Math.min(1, (2 * turning) / head);
}
