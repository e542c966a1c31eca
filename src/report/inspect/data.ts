import { isDeepStrictEqual } from 'node:util';
import { analyseGeometry, type CandidateSpecs } from '../../geometry/analyse.js';
import type { CacheDtype } from '../../geometry/drift.js';
import { stored } from '../../geometry/fingerprint.js';
import { criticalDimensionOf, criticalFractionOf } from '../../geometry/spectrum.js';
import { referenceRope, trainedWindowOf } from '../../model/evidence.js';
import type {
  LayerGroup,
  ModelGeometry,
  NotRope,
  Reference,
  ReferenceKind,
} from '../../model/types.js';
import { computeRope } from '../../rope/registry.js';
import { INSPECT_SCHEMA_VERSION } from '../../version.js';
import type { InspectData, InspectLayerType, InspectReading } from '../schema/inspect.js';

export interface InspectOptions {
  readonly source?: string;
  /** Tokens; default 4 x the trained window. */
  readonly target?: number;
  /** Tokens, for tables that depend on the length; default: as transformers builds them. */
  readonly sequenceLength?: number;
  /** A scaling to show instead of the config's. */
  readonly candidate?: CandidateSpecs;
  /** Number format of the KV cache; default bfloat16. */
  readonly dtype?: CacheDtype;
  /** Memory bandwidth in 1e9 bytes a second. Without it, no decoding time is given. */
  readonly bandwidthGBps?: number;
}

/** Computes everything that `rope-eval inspect` reports, from the config alone. */
export function inspectData(
  model: ModelGeometry,
  reference: Reference,
  options: InspectOptions = {},
): InspectData {
  const { candidate, sequenceLength } = options;
  const { cost, ...geometry } = analyseGeometry(model, reference, scalings(model, options), {
    target: options.target ?? 4 * reference.trainedWindow,
    dtype: options.dtype ?? 'bfloat16',
    bandwidthGBps: options.bandwidthGBps ?? null,
  });
  const { alternative } = reference;
  return {
    schemaVersion: INSPECT_SCHEMA_VERSION,
    source: options.source ?? null,
    modelType: model.modelType,
    architecture: model.architecture ?? null,
    encoding: 'rope',
    shown: {
      scaling: candidate?.label ?? 'as-configured',
      sequenceLength: sequenceLength ?? null,
    },
    layerTypes: layerTypes(model, reference, candidate, sequenceLength),
    layersWithoutRope: model.layersWithoutRope,
    layersWithoutAttention: model.layersWithoutAttention ?? [],
    bidirectional: model.bidirectional ?? false,
    latentAttention: model.attention.latent ?? null,
    softmaxScale: candidate?.softmaxScale ?? model.softmaxScale,
    unscaledSoftmaxScale: model.unscaledSoftmaxScale,
    reference: {
      ...reading(model.groups[0], reference.kind, reference.trainedWindow),
      evidence: reference.evidence,
      alternative:
        alternative === undefined
          ? null
          : reading(model.groups[0], alternative.kind, alternative.trainedWindow),
    },
    findings: model.findings,
    geometry,
    cost,
  };
}

/** Makes the same report for a model without RoPE. Its findings say what the model uses instead. */
export function inspectNotRope(model: NotRope, source?: string): InspectData {
  return {
    schemaVersion: INSPECT_SCHEMA_VERSION,
    source: source ?? null,
    modelType: model.modelType,
    architecture: model.architecture ?? null,
    encoding: model.encoding,
    shown: { scaling: 'none', sequenceLength: null },
    layerTypes: {},
    layersWithoutRope: [],
    layersWithoutAttention: [],
    bidirectional: false,
    latentAttention: null,
    softmaxScale: null,
    unscaledSoftmaxScale: null,
    reference: null,
    findings: model.findings,
    geometry: null,
    cost: null,
  };
}

/**
 * Lists the scalings to compare with the reference: the config itself, its base frequencies if they
 * differ from that, and the candidate that was asked for. One of the first two is the reference.
 */
function scalings(model: ModelGeometry, { candidate }: InspectOptions): CandidateSpecs[] {
  const list: CandidateSpecs[] = [
    {
      label: 'as-configured',
      specs: model.groups.map(({ rope }) => rope),
      softmaxScale: model.softmaxScale,
    },
  ];
  if (!model.groups.every(({ rope, unscaled }) => isDeepStrictEqual(rope, unscaled))) {
    list.push({
      label: 'none',
      specs: model.groups.map(({ unscaled }) => unscaled),
      softmaxScale: model.unscaledSoftmaxScale,
    });
  }
  if (candidate !== undefined) list.push(candidate);
  return list;
}

function layerTypes(
  model: ModelGeometry,
  { trainedWindow }: Reference,
  candidate: CandidateSpecs | undefined,
  sequenceLength: number | undefined,
): Readonly<Record<string, InspectLayerType>> {
  const entries = model.groups.map((group, index): [string, InspectLayerType] => {
    const spec = candidate?.specs[index] ?? group.rope;
    const table = computeRope(spec, sequenceLength);
    const { type, theta, rotaryDim, ...parameters } = spec;
    // Without the suffix, a second table of the same layer type would replace the first.
    const repeated = model.groups.slice(0, index).filter((g) => g.layerType === group.layerType);
    const suffix = repeated.length === 0 ? '' : `#${repeated.length + 1}`;
    return [
      `${group.layerType}${suffix}`,
      {
        layers: group.layers,
        span: group.span,
        ropeType: type,
        theta,
        headDim: group.headDim ?? model.attention.headDim,
        rotaryDim,
        layout: model.layout,
        trainedWindow,
        invFreq: Array.from(stored(table, model).invFreq),
        attentionScaling: table.attentionScaling,
        layersWithoutRope: model.layersWithoutRope,
        softmaxScale: candidate?.softmaxScale ?? model.softmaxScale,
        parameters,
      },
    ];
  });
  return Object.fromEntries(entries);
}

function reading(
  group: LayerGroup | undefined,
  kind: ReferenceKind,
  trainedWindow: number,
): InspectReading {
  if (group === undefined) {
    return {
      kind,
      trainedWindow,
      trainedRange: trainedWindow,
      criticalFraction: null,
      criticalDimension: 0,
    };
  }
  const range = trainedWindowOf(group, { trainedWindow });
  const { invFreq } = computeRope(referenceRope(group, { kind }), trainedWindow);
  return {
    kind,
    trainedWindow,
    trainedRange: range,
    criticalFraction: criticalFractionOf(invFreq, range),
    criticalDimension: criticalDimensionOf(invFreq, range),
  };
}
