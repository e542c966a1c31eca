import type { ModelGeometry } from '../config/types.js';

/**
 * A table as engines hold it: sorted from the fastest pair to the slowest, unless the class of the
 * model stores its pairs in another order.
 *
 * @param invFreq (pairs,) radians per token, sorted
 */
export function asStored(
  invFreq: ArrayLike<number>,
  { pairOrder }: Pick<ModelGeometry, 'pairOrder'>,
): number[] {
  const sorted = Array.from(invFreq);
  if (pairOrder?.length !== sorted.length) return sorted;
  return pairOrder.map((pair) => sorted[pair] ?? 0);
}
