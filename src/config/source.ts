import type { Finding } from '../findings.js';
import type { ClassDefaults } from './class-defaults/index.js';
import type { Fields } from './fields.js';

/** One model's part of a config, on its way to a geometry. */
export interface Source {
  /** `model_type` of this part. */
  readonly modelType: string;
  readonly architecture: string | undefined;
  readonly fields: Fields;
  /** Of the config class; undefined for an unknown model type. */
  readonly defaults: ClassDefaults | undefined;
  /** Whether this is `text_config` or the like, where class defaults are normal. */
  readonly nested: boolean;
  readonly findings: Finding[];
}

/** Shape of the attention, and the window, before anything about RoPE is known. */
export interface Shape {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly hiddenSize: number;
  /** Of keys and queries; rotated dimensions are a share of it. */
  readonly headDim: number;
  readonly maxPositions: number;
  readonly maxPositionsGiven: boolean;
}
