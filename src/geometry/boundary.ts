import { computeRope, type RopeSpec } from '../rope/registry.js';

/**
 * What happens to a table whose frequencies depend on the length, where they begin to change:
 * LongRoPE switches lists above its original window (Ding et al. 2024, arXiv:2402.13753,
 * transformers `_compute_longrope_parameters`), dynamic NTK recomputes above its maximum
 * (transformers `_compute_dynamic_ntk_parameters`). Keys cached before were turned by the old
 * table, so the change is also the error between old keys and new queries.
 */
export interface Boundary {
  /** Last length with the table below, tokens. */
  readonly length: number;
  readonly kind: 'switch' | 'recomputed';
  /** From `length` to `length + 1`. */
  readonly step: TableChange;
  /** From `length` to the target; the same as `step` for a switch. */
  readonly atTarget: TableChange;
}

export interface TableChange {
  /** Largest |after / before − 1| over pairs. */
  readonly maxFrequencyChange: number;
  /** The pair it belongs to, 0 = highest frequency. */
  readonly pair: number;
  /** Attention scaling after / before. */
  readonly attentionScalingRatio: number;
}

/** null where the table does not depend on the length, or the target stays below the boundary. */
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
