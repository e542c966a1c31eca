import { referenceRope, referenceSoftmaxScale, trainedWindowOf } from '../model/evidence.js';
import type { AttentionShape, LayerGroup, ModelGeometry, Reference } from '../model/types.js';
import type { RopeTable } from '../rope/kind.js';
import { computeRope, type RopeSpec } from '../rope/registry.js';
import {
  boundaryOf,
  inRangeUpTo,
  pairsOutOfRange,
  requiredBase,
  supportedLength,
} from './base-bound.js';
import { CACHE_DTYPES, type CacheDtype, measureDrift } from './drift.js';
import type {
  CandidateGeometry,
  CostReport,
  GeometryReport,
  GroupGeometry,
  ReferenceGeometry,
  TableGeometry,
} from './schema.js';
import {
  criticalDimensionOf,
  criticalFractionOf,
  decayCurve,
  highFrequencyStretch,
  rotations,
  stretch,
} from './spectrum.js';

/** Attention layers that look back equally far; `window` null: to everything before. */
export type LayerSpan = CostReport['spans'][number] &
  /** Set if these layers differ from the rest of the model. */
  Partial<Pick<AttentionShape, 'headDim' | 'kvHeads'>>;

/**
 * Groups attention layers by how far they look back. Layers without RoPE are global: models that
 * have such layers let them see the whole context. Layers without attention (state space,
 * convolution) hold no keys and are not listed.
 */
export function layerSpans(model: ModelGeometry): LayerSpan[] {
  const spans: LayerSpan[] = [];
  const add = (span: LayerSpan): void => {
    const index = spans.findIndex(
      ({ kind, window, headDim, kvHeads }) =>
        kind === span.kind &&
        window === span.window &&
        headDim === span.headDim &&
        kvHeads === span.kvHeads,
    );
    const known = spans[index];
    if (known === undefined) spans.push(span);
    else spans[index] = { ...known, count: known.count + span.count };
  };
  for (const { layers, span, headDim, kvHeads } of model.groups) {
    if (layers.length === 0) continue;
    add({
      count: layers.length,
      kind: span.kind,
      window: span.kind === 'global' ? null : span.window,
      ...(headDim !== undefined && { headDim }),
      ...(kvHeads !== undefined && { kvHeads }),
    });
  }
  const without = model.layersWithoutRope.length;
  if (without > 0) add({ count: without, kind: 'global', window: null });
  return spans;
}

/**
 * Returns how many numbers one layer keeps per token. A layer's own head size and head count take
 * precedence.
 *
 * Keys and values take `2 * kvHeads * headDim`, which covers multi-head, grouped-query (Ainslie et
 * al. 2023, arXiv:2305.13245) and multi-query attention (Shazeer 2019, arXiv:1911.02150).
 * Multi-head latent attention keeps one latent vector and one rotated key for all heads
 * (DeepSeek-V2, arXiv:2405.04434, section 2.1.2): `rank + ropeDim`.
 */
function cacheNumbersPerToken(shape: AttentionShape, own: LayerSpan): number {
  const { latent } = shape;
  const { headDim = shape.headDim, kvHeads = shape.kvHeads } = own;
  return latent === undefined ? 2 * kvHeads * headDim : latent.rank + latent.ropeDim;
}

/** Returns the bytes of one sequence's KV cache, of which a layer keeps its window at most. */
export function cacheBytes(
  shape: AttentionShape,
  spans: readonly LayerSpan[],
  tokens: number,
  dtype: CacheDtype,
): number {
  return spans.reduce((sum, span) => {
    const perToken = cacheNumbersPerToken(shape, span) * CACHE_DTYPES[dtype];
    return sum + span.count * perToken * Math.min(tokens, span.window ?? tokens);
  }, 0);
}

/**
 * Returns how many keys a query of one layer attends to, averaged over a causal prefill of
 * `tokens`.
 *
 * For global layers it is `(L + 1) / 2`; for a sliding window w, the mean of min(m, w); for chunks
 * of w, `(w + 1) / 2` in each whole chunk. The current token counts as a key.
 */
export function meanPrefillKeys({ kind, window }: LayerSpan, tokens: number): number {
  if (window === null || window >= tokens) return (tokens + 1) / 2;
  if (kind === 'chunked') {
    const rest = tokens % window;
    const whole = tokens - rest;
    return (whole * ((window + 1) / 2) + rest * ((rest + 1) / 2)) / tokens;
  }
  return (window * ((window + 1) / 2) + (tokens - window) * window) / tokens;
}

/**
 * Returns how many keys the next query attends to, itself included, when the cache holds `tokens`.
 * For chunks this is the maximum, reached at the end of a chunk.
 */
export function decodeKeys({ window }: LayerSpan, tokens: number): number {
  return window === null ? tokens : Math.min(tokens, window);
}

/**
 * Returns the floating-point operations of attention scores and their weighted sum, per query token
 * over all layers: `2 * 2 * heads * headDim * keys` per layer (Kaplan et al. 2020,
 * arXiv:2001.08361, table 1, with two operations per multiply-add). Projections are left out
 * because they do not grow with the length.
 *
 * Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, section 2.1.2) is computed in two
 * ways. In prefill, engines expand the latents: a score is over `nope + rope` dimensions and the
 * sum over the width of a value. In decode, they use the latents as cached, because expanding all
 * of them for one token would cost more: a score is over `rank + rope` dimensions and the sum over
 * `rank`.
 */
function attentionFlops(
  shape: AttentionShape,
  spans: readonly LayerSpan[],
  phase: 'prefill' | 'decode',
  tokens: number,
): number {
  const keysOf = phase === 'prefill' ? meanPrefillKeys : decodeKeys;
  return spans.reduce((sum, span) => {
    const width = scoreAndSumWidth(shape, span.headDim ?? shape.headDim, phase);
    return sum + span.count * 2 * shape.heads * width * keysOf(span, tokens);
  }, 0);
}

/** Returns the multiply-adds of one head for one key, for its score and its share of the sum. */
function scoreAndSumWidth(
  { latent }: AttentionShape,
  headDim: number,
  phase: 'prefill' | 'decode',
): number {
  if (latent === undefined) return 2 * headDim;
  const { rank, ropeDim, nopeDim, valueDim } = latent;
  return phase === 'prefill' ? nopeDim + ropeDim + valueDim : 2 * rank + ropeDim;
}

/** The lengths that the costs are computed for, and the format of the cache. */
interface CostOptions extends Omit<GeometryOptions, 'target'> {
  readonly trainedWindow: number;
  /** In tokens, in any order. */
  readonly lengths: readonly number[];
}

/**
 * Estimates what a longer window costs, from the attention's shape alone.
 *
 * Decoding one token of one sequence reads its cache once, so `bytes / bandwidth` is a lower limit
 * for the part that grows with the length (Pope et al. 2022, "Efficiently Scaling Transformer
 * Inference", arXiv:2211.05102, section 2). The weights are read too, but they do not grow and are
 * left out.
 *
 * @returns null for a bidirectional model, which decodes nothing and keeps no cache, and for one
 *   without attention layers
 */
export function costOf(model: ModelGeometry, options: CostOptions): CostReport | null {
  const { trainedWindow, lengths, dtype, bandwidthGBps } = options;
  const shape = model.attention;
  const spans = layerSpans(model);
  if (model.bidirectional === true || spans.length === 0) return null;
  const bytesOf = (wanted: (span: LayerSpan) => boolean): number =>
    spans
      .filter(wanted)
      .reduce((sum, span) => sum + span.count * cacheNumbersPerToken(shape, span), 0) *
    CACHE_DTYPES[dtype];
  const prefillAtTrained = attentionFlops(shape, spans, 'prefill', trainedWindow);
  const decodeAtTrained = attentionFlops(shape, spans, 'decode', trainedWindow);
  return {
    dtype,
    bytesPerNumber: CACHE_DTYPES[dtype],
    bandwidthGBps,
    spans: spans.map(({ count, kind, window }) => ({ count, kind, window })),
    kvBytesPerToken: bytesOf(() => true),
    kvGrowthPerToken: bytesOf(({ window }) => window === null),
    lengths: lengths.map((tokens) => {
      const kvBytes = cacheBytes(shape, spans, tokens, dtype);
      const prefill = attentionFlops(shape, spans, 'prefill', tokens);
      const decode = attentionFlops(shape, spans, 'decode', tokens);
      return {
        tokens,
        kvBytes,
        kvBytesPerToken: kvBytes / tokens,
        prefillFlopsPerToken: prefill,
        decodeFlopsPerToken: decode,
        prefillMultiple: prefill / prefillAtTrained,
        decodeMultiple: decode / decodeAtTrained,
        decodeReadMs: bandwidthGBps === null ? null : (kvBytes / (bandwidthGBps * 1e9)) * 1e3,
      };
    }),
  };
}

/** A scaling under test. */
export interface CandidateSpecs {
  readonly label: string;
  /** Parallel to `model.groups`. */
  readonly specs: readonly RopeSpec[];
  /** Multiplier on q·k with this scaling; default: the reference's. */
  readonly softmaxScale?: number;
}

interface GeometryOptions {
  /** The length asked for, in tokens. */
  readonly target: number;
  readonly dtype: CacheDtype;
  /** Memory bandwidth in 1e9 bytes a second; null = no decode time. */
  readonly bandwidthGBps: number | null;
}

/** The search for the supported length ends here: so many distances of 128 pairs take 35 ms. */
const SEARCH_LIMIT = 1 << 17;
const DECAY_BINS = 48;
/** Two tables that differ by less than this are the same in float32. */
const SAME = 1e-6;

/**
 * Computes everything that follows from the config alone about the reference and the candidates,
 * per layer group.
 *
 * Local layers (sliding window, chunks) never see a distance beyond their window. Their trained and
 * target ranges are both that window, and any stretch is a loss.
 */
export function analyseGeometry(
  model: ModelGeometry,
  reference: Reference,
  candidates: readonly CandidateSpecs[],
  options: GeometryOptions,
): GeometryReport {
  const { trainedWindow } = reference;
  const { target, dtype, bandwidthGBps } = options;
  const softmaxAtReference = referenceSoftmaxScale(model, reference);
  return {
    trainedWindow,
    target,
    groups: model.groups.map((group, index) => {
      const ofGroup = candidates.flatMap(({ label, specs, softmaxScale = softmaxAtReference }) => {
        const spec = specs[index];
        const softmaxRatio = softmaxScale / softmaxAtReference;
        return spec === undefined ? [] : [{ label, spec, softmaxRatio }];
      });
      return analyseGroup(group, reference, ofGroup, target);
    }),
    cost: costOf(model, {
      trainedWindow,
      lengths: costLengths(trainedWindow, target),
      dtype,
      bandwidthGBps,
    }),
  };
}

function analyseGroup(
  group: LayerGroup,
  reference: Reference,
  candidates: readonly GroupCandidate[],
  target: number,
): GroupGeometry {
  const { layerType, layers, span } = group;
  const window = span.kind === 'global' ? Infinity : span.window;
  const ranges = {
    trained: trainedWindowOf(group, reference),
    target: Math.min(window, target),
    length: target,
  };
  const spec = referenceRope(group, reference);
  const table = computeRope(spec, reference.trainedWindow);
  const ofReference = analyseReference(spec, table, ranges);
  return {
    layerType,
    layers,
    span,
    trainedRange: ranges.trained,
    targetRange: ranges.target,
    reference: ofReference,
    candidates: candidates.map((candidate) =>
      analyseCandidate(candidate, { table, geometry: ofReference, span }, ranges),
    ),
    requiredBase: requiredBase(ranges.target, spec.rotaryDim),
  };
}

interface GroupCandidate {
  readonly label: string;
  readonly spec: RopeSpec;
  /** The softmax scale, candidate / reference. */
  readonly softmaxRatio: number;
}

/** What the candidates of a group are compared with. */
interface GroupReference extends Pick<LayerGroup, 'span'> {
  readonly table: RopeTable;
  readonly geometry: TableGeometry;
}

/** All in tokens. */
interface Ranges {
  /** Distances that occur in training and at the target. */
  readonly trained: number;
  readonly target: number;
  /** The whole length at the target. Positions run to it in local layers too. */
  readonly length: number;
}

function analyseTable(spec: RopeSpec, table: RopeTable, ranges: Ranges): TableGeometry {
  const { invFreq } = table;
  const longest = Math.max(ranges.trained, ranges.target);
  return describeAs(spec, table, {
    rotationsTrained: rotations(invFreq, ranges.trained),
    rotationsTarget: rotations(invFreq, ranges.target),
    supported: supportedLength(invFreq, Math.min(longest, SEARCH_LIMIT)),
    decay: decayCurve(invFreq, longest, DECAY_BINS),
    drift: measureDrift(invFreq, ranges.length),
  });
}

/** What follows from the frequencies of a table alone. */
type OfFrequencies = Pick<
  TableGeometry,
  'rotationsTrained' | 'rotationsTarget' | 'supported' | 'decay' | 'drift'
>;

/** Adds the rest of a table to what follows from its frequencies. */
function describeAs(spec: RopeSpec, table: RopeTable, known: OfFrequencies): TableGeometry {
  return {
    ropeType: spec.type,
    theta: spec.theta,
    rotaryDim: spec.rotaryDim,
    attentionScaling: table.attentionScaling,
    rotationsTrained: known.rotationsTrained,
    rotationsTarget: known.rotationsTarget,
    supported: known.supported,
    decay: known.decay,
    drift: known.drift,
  };
}

function analyseReference(spec: RopeSpec, table: RopeTable, ranges: Ranges): ReferenceGeometry {
  const geometry = analyseTable(spec, table, ranges);
  return {
    ...geometry,
    criticalFraction: criticalFractionOf(table.invFreq, ranges.trained),
    criticalDimension: criticalDimensionOf(table.invFreq, ranges.trained),
  };
}

function analyseCandidate(
  { label, spec, softmaxRatio }: GroupCandidate,
  { table: reference, geometry, span }: GroupReference,
  ranges: Ranges,
): CandidateGeometry {
  // This is the table in use at the target, since dynamic and longrope tables depend on the whole
  // length.
  const table = computeRope(spec, ranges.length);
  const perPair = stretch(reference.invFreq, table.invFreq);
  const ratio = table.attentionScaling / reference.attentionScaling;
  const logitScale = ratio * ratio * softmaxRatio;
  const sameFrequencies = table.invFreq.every((frequency, pair) => {
    const from = reference.invFreq[pair] ?? 0;
    return Math.abs(frequency - from) <= SAME * Math.max(frequency, from);
  });
  const maxStretch =
    perPair.reduce<number>((largest, value) => Math.max(largest, value ?? 0), 0) || 1;
  const changed = !sameFrequencies || Math.abs(logitScale - 1) > SAME;
  return {
    // The analysis of the table takes most of the time, so equal frequencies are analysed only
    // once.
    ...(sameFrequencies ? describeAs(spec, table, geometry) : analyseTable(spec, table, ranges)),
    label,
    changed,
    logitScale,
    stretch: perPair,
    maxStretch,
    highFrequencyStretch: highFrequencyStretch(reference.invFreq, table.invFreq, ranges.trained),
    outOfRange: pairsOutOfRange(reference.invFreq, table.invFreq, ranges.trained, ranges.target),
    inRangeUpTo: inRangeUpTo(reference.invFreq, table.invFreq, ranges.trained),
    boundary: boundaryOf(spec, ranges.length),
    pureLoss: span.kind !== 'global' && maxStretch > 1 + SAME,
  };
}

/** Returns the trained window, its doublings up to the target, and the target, ascending. */
function costLengths(trainedWindow: number, target: number): number[] {
  const lengths = new Set([trainedWindow, target]);
  for (let length = 2 * trainedWindow; length < target; length *= 2) lengths.add(length);
  return [...lengths].sort((a, b) => a - b);
}
