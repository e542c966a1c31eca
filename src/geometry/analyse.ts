import { referenceRope, referenceSoftmaxScale, trainedWindowOf } from '../model/evidence.js';
import type { LayerGroup, ModelGeometry, Reference } from '../model/types.js';
import type { RopeTable } from '../rope/kind.js';
import { computeRope, type RopeSpec } from '../rope/registry.js';
import {
  boundaryOf,
  inRangeUpTo,
  pairsOutOfRange,
  requiredBase,
  supportedLength,
} from './base-bound.js';
import { costOf } from './cost.js';
import { type CacheDtype, measureDrift } from './drift.js';
import type {
  CandidateGeometry,
  GeometryReport,
  GroupGeometry,
  ReferenceGeometry,
  TableGeometry,
} from './schema.js';
import {
  criticalFractionOf,
  decayCurve,
  highFrequencyStretch,
  rotations,
  stretch,
} from './spectrum.js';

/** A scaling under test. */
export interface CandidateSpecs {
  readonly label: string;
  /** Parallel to `model.groups`. */
  readonly specs: readonly RopeSpec[];
  /** Multiplier on q·k with this scaling; default: the reference's. */
  readonly softmaxScale?: number;
}

/** What the analysis depends on besides the model and the scalings. */
export interface GeometryOptions {
  /** The length asked for, in tokens. */
  readonly target: number;
  /** Format of the KV cache. */
  readonly dtype: CacheDtype;
  /** Memory bandwidth in 1e9 bytes a second; null = no decode time. */
  readonly bandwidthGBps: number | null;
}

/**
 * The search for the supported length ends here: this many distances of 128 pairs take about 35 ms.
 */
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
      analyseCandidate(candidate, { table, geometry: ofReference }, ranges, span.kind !== 'global'),
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

/** All in tokens. */
interface Ranges {
  /** Distances that occur in training and at the target. */
  readonly trained: number;
  readonly target: number;
  /** The whole length at the target. Positions run to it in local layers too. */
  readonly length: number;
}

function analyseTable(spec: RopeSpec, table: RopeTable, ranges: Ranges): TableGeometry {
  const { invFreq, attentionScaling } = table;
  const longest = Math.max(ranges.trained, ranges.target);
  return {
    ropeType: spec.type,
    theta: spec.theta,
    rotaryDim: spec.rotaryDim,
    attentionScaling,
    rotationsTrained: rotations(invFreq, ranges.trained),
    rotationsTarget: rotations(invFreq, ranges.target),
    supported: supportedLength(invFreq, Math.min(longest, SEARCH_LIMIT)),
    decay: decayCurve(invFreq, longest, DECAY_BINS),
    drift: measureDrift(invFreq, ranges.length),
  };
}

function analyseReference(spec: RopeSpec, table: RopeTable, ranges: Ranges): ReferenceGeometry {
  const geometry = analyseTable(spec, table, ranges);
  return {
    ...geometry,
    criticalFraction: criticalFractionOf(table.invFreq, ranges.trained),
    criticalDimension: 2 * geometry.rotationsTrained.filter((turns) => turns >= 1).length,
  };
}

function analyseCandidate(
  { label, spec, softmaxRatio }: GroupCandidate,
  { table: reference, geometry }: { readonly table: RopeTable; readonly geometry: TableGeometry },
  ranges: Ranges,
  local: boolean,
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
    pureLoss: local && maxStretch > 1 + SAME,
  };
}

/** Describes a table with the same frequencies as another one. */
function describeAs(spec: RopeSpec, table: RopeTable, same: TableGeometry): TableGeometry {
  const { rotationsTrained, rotationsTarget, supported, decay, drift } = same;
  return {
    ropeType: spec.type,
    theta: spec.theta,
    rotaryDim: spec.rotaryDim,
    attentionScaling: table.attentionScaling,
    rotationsTrained,
    rotationsTarget,
    supported,
    decay,
    drift,
  };
}

/**
 * Returns the trained window, its doublings up to the target, and the target, in ascending order.
 */
function costLengths(trainedWindow: number, target: number): number[] {
  const lengths = new Set([trainedWindow, target]);
  for (let length = 2 * trainedWindow; length < target; length *= 2) lengths.add(length);
  return [...lengths].sort((a, b) => a - b);
}
