import type { RopeTable } from '../rope/kind.js';

/** What a probe model needs to know of itself to be given another model's scaling. */
export interface ProbeGeometry {
  /** (pairs,) radians per token, as trained; 0: the pair stands still. */
  readonly invFreq: Float64Array;
  /** Trained window in tokens. */
  readonly window: number;
  /**
   * How many of its slowest pairs that turn are held within their trained angles, whatever the length:
   * those that the user's model has no counterpart of (`heldPairs`). Absent: none.
   */
  readonly held?: number;
}

/** A probe model's table; what a scaling multiplies in pairs that stand still is apart. */
export interface ProbeTable extends RopeTable {
  /** Multiplier on queries and keys, every pair of a head; absent: 1. */
  readonly headScaling?: number;
}

/**
 * Spectral coordinate of a frequency: `ln(1/ω) / ln(window/2π)`. 0 at one radian per token, 1 at
 * one rotation per trained window; it makes bands of models with different windows comparable.
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
    if (from <= 0 || to <= 0) continue; // a pair that stands still has no place on the spectrum
    const logStretch = from === to ? 0 : Math.log(from / to);
    out.push({ u: spectralCoordinate(from, window), logStretch });
  }
  return out.sort((a, b) => a.u - b.u);
}

/** Piecewise linear in u, clamped at the ends. */
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

/** More than this is no rounding. */
const ROUNDING = 1e-9;

/**
 * How many pairs of a probe have no counterpart on a model: slower than its slowest by more than half
 * of the probe's own step. A pair that completes a turn within the window cannot leave its angles, so
 * that it never counts.
 *
 * @param reference what the weights were trained with
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

/** Index of the first held pair; they end where pairs stand still. */
const firstHeld = ({ invFreq, held = 0 }: ProbeGeometry): number =>
  invFreq.filter((f) => f > 0).length - held;

/**
 * A table whose held pairs are those of another: where keys of one meet queries of the other, the
 * angle between them stays one that was trained.
 */
export function withHeldOf(probe: ProbeGeometry, table: ProbeTable, other: ProbeTable): ProbeTable {
  if (!probe.held) return table;
  const from = firstHeld(probe);
  return { ...table, invFreq: table.invFreq.map((f, i) => (i < from ? f : other.invFreq[i]!)) };
}

/** What a table is carried over for, besides candidate and reference. */
export interface TransferOptions {
  /**
   * candidate / reference of any further multiplier on q·k, on what stands still too, unlike the
   * attention scaling; default 1
   */
  readonly softmaxScaleRatio?: number;
  /** Largest distance that the table is used at, in trained windows; default 1. */
  readonly windows?: number;
}

/**
 * Carries a scaling over to a probe model: each band's stretch is read at the probe model's own
 * spectral coordinates, and the probe's frequencies are divided by it. The order of the bands is
 * kept, thresholds of the scaling stay where the user's geometry puts them; the exact number of
 * rotations below one turn is not kept (docs/method.md). Held pairs are stretched by `windows` at
 * least.
 *
 * @param reference what the weights were trained with; @param candidate the scaling under test,
 *   both of one length (pairs); @param trainedWindow of the user's model, tokens, > 2π
 * @returns the probe's table: exactly its own frequencies and multipliers of 1 where candidate and
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
 * Frequencies that a probe model was trained with, as training/model.py makes them.
 *
 * @param pairs of a head @param rotaryShare of them rotates; the others stand still
 * @returns (pairs,) radians per token
 */
export function probeFrequencies(theta: number, pairs: number, rotaryShare = 1): Float64Array {
  const turning = Math.round(rotaryShare * pairs);
  return Float64Array.from({ length: pairs }, (_, i) =>
    i < turning ? Math.pow(theta, -i / turning) : 0,
  );
}
