import type { LatentShape, NotRope, Span } from '../config/types.js';
import type { Finding } from '../findings.js';
import type { CostReport } from '../geometry/cost.js';
import type { GeometryReport } from '../geometry/geometry-report.js';
import type { EncodingRow } from './encodings-schema.js';

/** Additive changes keep the major version, as in the main report. */
export const INSPECT_SCHEMA_VERSION = '1.2';

/** One rotary table and the layers that share it. */
export interface InspectLayerType {
  /** Indices. */
  readonly layers: readonly number[];
  readonly span: Span;
  readonly ropeType: string;
  readonly theta: number;
  readonly headDim: number;
  readonly rotaryDim: number;
  /** How the two halves of a pair lie in a head. */
  readonly layout: 'half' | 'interleaved';
  /** Tokens that the weights were trained to see, by the reference. */
  readonly trainedWindow: number;
  /** (rotaryDim / 2,) radians per token. */
  readonly invFreq: readonly number[];
  readonly attentionScaling: number;
  /** Of the whole model, as at the top level: for a reader who looks at one layer type only. */
  readonly layersWithoutRope: readonly number[];
  readonly softmaxScale: number;
  /** What the rope type takes besides theta and the dimension. */
  readonly parameters: Readonly<Record<string, number | boolean | readonly number[]>>;
}

/** One way to read what the weights were trained with. */
export interface InspectReading {
  readonly kind: 'unscaled' | 'configured';
  readonly trainedWindow: number;
  /** Largest distance in the first layer type: the window, or less in local layers. */
  readonly trainedRange: number;
  /** Of the first layer type; null where no pair turns. */
  readonly criticalFraction: number | null;
  readonly criticalDimension: number;
}

export interface InspectReference extends InspectReading {
  /** Row of the evidence table, or `option` where the user decided. */
  readonly evidence: string;
  /** The other defensible reading, where there is one. */
  readonly alternative: InspectReading | null;
}

export interface InspectData {
  readonly schemaVersion: typeof INSPECT_SCHEMA_VERSION;
  /** Path of the config; null where it has none. */
  readonly source: string | null;
  readonly modelType: string;
  readonly architecture: string | null;
  /** `rope`, or what the model uses instead: then the rest is empty or null. */
  readonly encoding: 'rope' | NotRope['encoding'];
  /** The scaling that `layerTypes` shows, and the length that it shows it for (null = as built). */
  readonly shown: { readonly scaling: string; readonly sequenceLength: number | null };
  readonly layerTypes: Readonly<Record<string, InspectLayerType>>;
  readonly layersWithoutRope: readonly number[];
  /** Layers of a hybrid that do not attend: linear attention, state space, convolution. */
  readonly layersWithoutAttention: readonly number[];
  /** Encoders: tokens see both sides. */
  readonly bidirectional: boolean;
  /** Multi-head latent attention; null without. */
  readonly latentAttention: LatentShape | null;
  /** Multiplier on q·k before the softmax, as configured and without the scaling block. */
  readonly softmaxScale: number | null;
  readonly unscaledSoftmaxScale: number | null;
  readonly reference: InspectReference | null;
  readonly findings: readonly Finding[];
  readonly geometry: Omit<GeometryReport, 'cost'> | null;
  readonly cost: CostReport | null;
  /** Models without RoPE: how a small model with the same position encoding was measured. */
  readonly twin?: EncodingRow | undefined;
}
