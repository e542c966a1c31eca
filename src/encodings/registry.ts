import { alibi, learned, nope, sinusoidal, t5 } from './kinds.js';
import type { PositionEncoding } from './types.js';

export const ENCODING_NAMES = ['nope', 'sinusoidal', 'learned', 't5', 'alibi'] as const;
export type EncodingName = (typeof ENCODING_NAMES)[number];

/** Every position encoding that has a twin, in the order of reports. A new one is a file and a line. */
export const ENCODINGS: Readonly<Record<EncodingName, PositionEncoding>> = Object.freeze({
  nope,
  sinusoidal,
  learned,
  t5,
  alibi,
});

export {
  type EncodingShape,
  type PositionEncoding,
  type PositionInputs,
  type TrainedTable,
} from './types.js';
