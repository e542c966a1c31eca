import { computeRope, type RopeSpec } from '../rope/registry.js';

/**
 * Finds the pairs that reach angles at the target that they never reached in training.
 *
 * By Liu et al. 2023 (arXiv:2310.05209), section 4.2, pairs above the critical dimension have seen
 * only part of a turn, and extrapolation fails once they go beyond it. A pair that completed a turn
 * has seen every angle, so it cannot leave its range.
 */

const TURN = 2 * Math.PI;

/**
 * A factor times its own inverse may not be exactly 1 in floating point. Less than this is
 * rounding.
 */
const ROUNDING = 1e-9;

/** A pair that goes beyond its trained angles, and how far. */
export interface PairOutOfRange {
  /** Index of the pair, 0 = highest frequency. */
  readonly pair: number;
  /** Largest angle at the target / largest angle in training, > 1. */
  readonly excess: number;
}

/**
 * Finds the pairs that go beyond their largest trained angle and never completed a turn in
 * training.
 *
 * @param reference (pairs,) radians per token, as trained
 * @param candidate (pairs,) radians per token, in use at the target
 * @param trainedWindow tokens
 * @param target tokens
 */
export function pairsOutOfRange(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
  trainedWindow: number,
  target: number,
): PairOutOfRange[] {
  const outside: PairOutOfRange[] = [];
  for (let pair = 0; pair < reference.length; pair++) {
    const trainedAngle = trainedWindow * (reference[pair] ?? 0);
    const excess = (target * (candidate[pair] ?? 0)) / trainedAngle;
    if (trainedAngle > 0 && trainedAngle < TURN && excess > 1 + ROUNDING) {
      outside.push({ pair, excess });
    }
  }
  return outside;
}

/**
 * Measures how far the angles at a length leave the trained ones: the mean over all pairs of ln
 * excess, 0 if every pair stays in range.
 *
 * @param reference, candidate, trainedWindow, target as in `pairsOutOfRange`
 */
export function meanLogExcess(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
  trainedWindow: number,
  target: number,
): number {
  const outside = pairsOutOfRange(reference, candidate, trainedWindow, target);
  return outside.reduce((sum, { excess }) => sum + Math.log(excess), 0) / reference.length;
}

/**
 * Returns the longest length at which every pair stays within its trained angles. null if no pair
 * limits it, that is if every pair that turns at all completed a turn in training.
 *
 * @returns tokens, rounded down
 */
export function inRangeUpTo(
  reference: ArrayLike<number>,
  candidate: ArrayLike<number>,
  trainedWindow: number,
): number | null {
  let shortest: number | null = null;
  for (let pair = 0; pair < reference.length; pair++) {
    const from = reference[pair] ?? 0;
    const to = candidate[pair] ?? 0;
    if (from <= 0 || to <= 0 || trainedWindow * from >= TURN) continue;
    const length = Math.floor(((trainedWindow * from) / to) * (1 + ROUNDING));
    if (shortest === null || length < shortest) shortest = length;
  }
  return shortest;
}

/**
 * Where a length-dependent table begins to change, and by how much. LongRoPE switches lists above
 * its original window (Ding et al. 2024, arXiv:2402.13753, transformers
 * `_compute_longrope_parameters`), and dynamic NTK recomputes the table above its maximum
 * (transformers `_compute_dynamic_ntk_parameters`). Keys cached earlier were rotated by the old
 * table, so the change is also the error between old keys and new queries.
 */
export interface Boundary {
  /** The last length, in tokens, that still uses the first table. */
  readonly length: number;
  readonly kind: 'switch' | 'recomputed';
  /** The change from `length` to `length + 1`. */
  readonly step: TableChange;
  /** The change from `length` to the target; the same as `step` for a switch. */
  readonly atTarget: TableChange;
}

/**
 * The largest change of a pair's frequency from one length to another, and that of the attention
 * scaling.
 */
export interface TableChange {
  /** Largest |after / before − 1| over pairs. */
  readonly maxFrequencyChange: number;
  /** The pair with that change, 0 = highest frequency. */
  readonly pair: number;
  /** Attention scaling after / before. */
  readonly attentionScalingRatio: number;
}

/**
 * Returns where the table begins to change; null if it does not depend on the length, or if the
 * target does not exceed that length.
 */
export function boundaryOf(spec: RopeSpec, target: number): Boundary | null {
  const length =
    spec.type === 'longrope'
      ? spec.originalMaxPositions
      : spec.type === 'dynamic'
        ? spec.maxPositions
        : null;
  if (length === null || target <= length) return null;
  return {
    length,
    kind: spec.type === 'longrope' ? 'switch' : 'recomputed',
    step: tableChange(spec, length, length + 1),
    atTarget: tableChange(spec, length, target),
  };
}

function tableChange(spec: RopeSpec, from: number, to: number): TableChange {
  const before = computeRope(spec, from);
  const after = computeRope(spec, to);
  let maxFrequencyChange = 0;
  let pair = 0;
  before.invFreq.forEach((frequency, index) => {
    if (frequency <= 0) return;
    const change = Math.abs((after.invFreq[index] ?? 0) / frequency - 1);
    if (change > maxFrequencyChange) {
      maxFrequencyChange = change;
      pair = index;
    }
  });
  return {
    maxFrequencyChange,
    pair,
    attentionScalingRatio: after.attentionScaling / before.attentionScaling,
  };
}
