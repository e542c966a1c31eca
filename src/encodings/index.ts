import { alibi } from './alibi.js';
import { learned } from './learned.js';
import { nope } from './nope.js';
import { sinusoidal } from './sinusoidal.js';
import { t5 } from './t5.js';
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

export type { EncodingShape, PositionEncoding, PositionInputs, TrainedTable } from './types.js';
