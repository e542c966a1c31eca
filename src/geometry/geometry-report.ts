import type { Span } from '../config/types.js';
import type { RopeSpec, RopeType } from '../rope/index.js';
import type { RequiredBase } from './base-lookup.js';
import type { SupportedLength } from './base-bound.js';
import type { Boundary } from './boundary.js';
import type { CacheDtype } from './cache-cost.js';
import type { CostReport } from './cost.js';
import type { DecayPoint } from './decay.js';
import type { Drift } from './drift.js';
import type { PairOutOfRange } from './trained-range.js';

/** A scaling under test. */
export interface CandidateSpecs {
  readonly label: string;
  /** Parallel to `model.groups`. */
  readonly specs: readonly RopeSpec[];
  /** Multiplier on q·k with this scaling; default: the reference's. */
  readonly softmaxScale?: number;
}

export interface GeometryOptions {
  /** Length asked for, tokens. */
  readonly target: number;
  /** Format of the KV cache. */
  readonly dtype: CacheDtype;
  /** Memory bandwidth, 1e9 bytes a second; null = no decode time. */
  readonly bandwidthGBps: number | null;
}

/** A rotary table, exactly. */
export interface TableGeometry {
  readonly ropeType: RopeType;
  readonly theta: number;
  readonly rotaryDim: number;
  readonly attentionScaling: number;
  /** (pairs,) turns over the trained range. */
  readonly rotationsTrained: readonly number[];
  /** (pairs,) turns over the target range. */
  readonly rotationsTarget: readonly number[];
  /** Men et al.'s bound for these frequencies, searched to the longer range and no further. */
  readonly supported: SupportedLength;
  readonly decay: readonly DecayPoint[];
  readonly drift: readonly Drift[];
}

export interface ReferenceGeometry extends TableGeometry {
  /** Share of pairs below one turn per trained range; null where no pair turns. */
  readonly criticalFraction: number | null;
  /** Leading rotary dimensions that completed a turn in training. */
  readonly criticalDimension: number;
}

export interface CandidateGeometry extends TableGeometry {
  readonly label: string;
  /** false: the frequencies and the attention scaling are the reference's. */
  readonly changed: boolean;
  /** The factor on q·k before the softmax: (attention scaling / reference's)², with the softmax scale. */
  readonly logitScale: number;
  /** (pairs,) reference / candidate; null where a pair stands still. */
  readonly stretch: readonly (number | null)[];
  readonly maxStretch: number;
  /** Largest stretch of the pairs that turn 32 times or more in the trained range. */
  readonly highFrequencyStretch: number | null;
  /** Pairs beyond their trained angles at the target. */
  readonly outOfRange: readonly PairOutOfRange[];
  /** Longest length with every pair inside its trained angles; null = no pair limits it. */
  readonly inRangeUpTo: number | null;
  /** null where the table does not change below the target. */
  readonly boundary: Boundary | null;
  /** A local layer that the scaling stretches: it gains no length by it. */
  readonly pureLoss: boolean;
}

export interface GroupGeometry {
  readonly layerType: string;
  readonly layers: readonly number[];
  readonly span: Span;
  /** Distances in training and at the target, tokens; both the window for a local layer. */
  readonly trainedRange: number;
  readonly targetRange: number;
  readonly reference: ReferenceGeometry;
  readonly candidates: readonly CandidateGeometry[];
  /** Smallest base of an unscaled table for the target range; null where none is tabulated. */
  readonly requiredBase: RequiredBase | null;
}

/** Exact: from the config alone. Plain data, no number in it is NaN or infinite. */
export interface GeometryReport {
  readonly trainedWindow: number;
  readonly target: number;
  readonly groups: readonly GroupGeometry[];
  /** null where there is no KV cache to speak of. */
  readonly cost: CostReport | null;
}
