import type { RopeTable } from '../rope/kind.js';

/** A probe model's geometry, which decides how another model's scaling applies to it. */
export interface ProbeGeometry {
  /** (pairs,) radians per token, as trained; 0: the pair stands still. */
  readonly invFreq: Float64Array;
  /** Trained window in tokens. */
  readonly window: number;
  /**
   * How many of its slowest turning pairs are held within their trained angles at every length,
   * because the user's model has no counterpart of them (see `heldPairs`). Absent: none.
   */
  readonly held?: number;
}

/** A probe model's table, with the multiplier that also applies to pairs that stand still. */
export interface ProbeTable extends RopeTable {
  /** Multiplier on queries and keys, for every pair of a head; absent: 1. */
  readonly headScaling?: number;
}

/**
 * Returns the spectral coordinate of a frequency, `ln(1/ω) / ln(window/2π)`. It is 0 at one radian
 * per token and 1 at one rotation per trained window, which makes bands of models with different
 * windows comparable.
 */
export function spectralCoordinate(inverseFrequency: number, window: number): number {
  return Math.log(1 / inverseFrequency) / Math.log(window / (2 * Math.PI));
}

interface Band {
  readonly u: number;
  /** ln(reference / candidate) */
  readonly logStretch: number;
}

function bands(reference: RopeTable, candidate: RopeTable, window: number): Band[] {
  const out: Band[] = [];
  for (let i = 0; i < reference.invFreq.length; i++) {
    const from = reference.invFreq[i]!;
    const to = candidate.invFreq[i]!;
    if (from <= 0 || to <= 0) continue; // A pair that stands still has no place on the spectrum.
    const logStretch = from === to ? 0 : Math.log(from / to);
    out.push({ u: spectralCoordinate(from, window), logStretch });
  }
  return out.sort((a, b) => a.u - b.u);
}

/** Interpolates linearly in u and clamps at the ends. */
function interpolate(points: readonly Band[], u: number): number {
  const first = points[0]!;
  const last = points[points.length - 1]!;
  if (u <= first.u) return first.logStretch;
  if (u >= last.u) return last.logStretch;
  const right = points.findIndex((p) => p.u >= u);
  const a = points[right - 1]!;
  const b = points[right]!;
  const share = b.u === a.u ? 0 : (u - a.u) / (b.u - a.u);
  return a.logStretch + share * (b.logStretch - a.logStretch);
}

/** A larger difference is not rounding. */
const ROUNDING = 1e-9;

/**
 * Counts the pairs of a probe that have no counterpart on a model: they are slower than its slowest
 * pair by more than half of the probe's own step. A pair that completes a turn within the window
 * cannot leave its angles, so it never counts.
 *
 * @param reference the table that the model's weights were trained with
 * @param trainedWindow of the model, tokens
 */
export function heldPairs(
  { invFreq, window }: ProbeGeometry,
  reference: RopeTable,
  trainedWindow: number,
): number {
  const slowest = bands(reference, reference, trainedWindow).at(-1);
  if (!slowest) return 0;
  const own = Array.from(
    invFreq.filter((f) => f > 0),
    (f) => spectralCoordinate(f, window),
  );
  const step = own.length > 1 ? own[1]! - own[0]! : 0;
  return own.filter((u) => u > Math.max(slowest.u + step / 2, 1)).length;
}

/** Returns the index of the first held pair. Held pairs end where pairs stand still. */
const firstHeld = ({ invFreq, held = 0 }: ProbeGeometry): number =>
  invFreq.filter((f) => f > 0).length - held;

/**
 * Returns a table with the held pairs of another one. If the keys of one table meet the queries of
 * the other, the angle between them is then still one that was trained.
 */
export function withHeldOf(probe: ProbeGeometry, table: ProbeTable, other: ProbeTable): ProbeTable {
  if (!probe.held) return table;
  const from = firstHeld(probe);
  return { ...table, invFreq: table.invFreq.map((f, i) => (i < from ? f : other.invFreq[i]!)) };
}

/** What affects a transfer besides the candidate and the reference. */
export interface TransferOptions {
  /**
   * candidate / reference of any further multiplier on q·k. Unlike the attention scaling, it also
   * applies to pairs that stand still. Default 1.
   */
  readonly softmaxScaleRatio?: number;
  /** The largest distance at which the table is used, in trained windows; default 1. */
  readonly windows?: number;
}

/**
 * Carries a scaling over to a probe model. The stretch of each band is read at the probe's own
 * spectral coordinates, and the probe's frequencies are divided by it. The order of the bands is
 * kept, and the thresholds of the scaling stay where the user's geometry puts them. The exact
 * number of rotations below one turn is not kept (docs/method.md). Held pairs are stretched by at
 * least `windows`.
 *
 * @param reference the table that the weights were trained with
 * @param candidate the table of the scaling under test, with as many pairs
 * @param trainedWindow of the user's model, tokens, > 2π
 * @returns the probe's table; exactly its own frequencies and multipliers of 1 if candidate and
 *   reference agree
 */
export function transfer(
  probe: ProbeGeometry,
  reference: RopeTable,
  candidate: RopeTable,
  trainedWindow: number,
  { softmaxScaleRatio = 1, windows = 1 }: TransferOptions = {},
): ProbeTable {
  const points = bands(reference, candidate, trainedWindow);
  const held = firstHeld(probe);
  const within = Math.log(windows);
  const invFreq = probe.invFreq.map((frequency, i) => {
    if (points.length === 0 || frequency === 0) return frequency;
    const own = interpolate(points, spectralCoordinate(frequency, probe.window));
    const logStretch = i >= held && within > own + ROUNDING ? within : own;
    return logStretch === 0 ? frequency : frequency * Math.exp(-logStretch);
  });
  const attentionScaling = candidate.attentionScaling / reference.attentionScaling;
  // The multiplier acts on q and on k, so a ratio on their product enters as its square root.
  return { invFreq, attentionScaling, headScaling: Math.sqrt(softmaxScaleRatio) };
}

/**
 * Computes the frequencies that a probe model was trained with, as training/model.py does.
 *
 * @param pairs of a head, including those that stand still
 * @param rotaryShare share of the pairs that rotates
 * @returns (pairs,) radians per token
 */
export function probeFrequencies(theta: number, pairs: number, rotaryShare = 1): Float64Array {
  const turning = Math.round(rotaryShare * pairs);
  return Float64Array.from({ length: pairs }, (_, i) =>
    i < turning ? Math.pow(theta, -i / turning) : 0,
  );
}
