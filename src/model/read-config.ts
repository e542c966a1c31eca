import { createHash } from 'node:crypto';
import { BOUNDS } from '../json/bounds.js';
import { parseConfig, type ParseOptions, type UnknownRecord } from '../json/parse.js';
import { readModel } from './read-model.js';
import type { ModelGeometry, NotRope } from './types.js';

/** A config.json, parsed and read: what a run passes on in place of its text. */
export interface ReadConfig {
  readonly sha256: string;
  readonly raw: UnknownRecord;
  readonly model: ModelGeometry | NotRope;
}

/** @throws RopeEvalError exit 2 for a text that is no config */
export function readConfig(text: string, options: ParseOptions = {}): ReadConfig {
  const raw = parseConfig(text, { ...options, maxLength: BOUNDS.configLength });
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { sha256, raw, model: readModel(raw) };
}
