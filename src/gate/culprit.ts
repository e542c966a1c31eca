import { Fields } from '../config/fields.js';
import { isRecord, parseConfig } from '../config/json.js';
import { findPart } from '../config/part.js';
import { lineOfKey } from './locate.js';
import type { MetricName } from './metrics.js';

/** What a key is about, and the names it goes by; the first that is there is meant. */
const KEYS = Object.freeze({
  scaling: ['rope_scaling', 'rope_parameters'],
  theta: ['rope_theta', 'rotary_emb_base', 'rope_parameters.rope_theta'],
  window: ['max_position_embeddings', 'n_positions', 'max_sequence_length', 'seq_length'],
  localWindow: ['sliding_window', 'attention_window_size', 'attention_chunk_size'],
});

type Subject = keyof typeof KEYS;

/** A failed length is about the window it was claimed with; a failed short rule about the scaling. */
const SUBJECTS: Readonly<Record<MetricName, readonly Subject[]>> = Object.freeze({
  needle: ['scaling', 'window'],
  reach: ['scaling', 'window'],
  'short.accuracyChange': ['scaling', 'theta'],
  'short.lossChange': ['scaling', 'theta'],
  'short.copyAccuracyChange': ['scaling', 'theta'],
  'short.copyLossChange': ['scaling', 'theta'],
  kvCacheGiB: ['window'],
});

/** A key of a config and the line it stands on; path '' and line 1 where it is not written. */
export interface KeyPlace {
  readonly path: string;
  readonly line: number;
}

/** The key to look at when a rule on this metric fails. */
export function culpritOf(configText: string, metric: MetricName): KeyPlace {
  const places = SUBJECTS[metric].map((subject) => placeOf(configText, subject));
  return places.find(({ path }) => path !== '') ?? { path: '', line: 1 };
}

/** The paths under which this config writes theta, windows and scaling; '' = it does not. */
export function geometryKeys(configText: string): Readonly<Record<Subject, string>> {
  return {
    theta: placeOf(configText, 'theta').path,
    window: placeOf(configText, 'window').path,
    localWindow: placeOf(configText, 'localWindow').path,
    scaling: placeOf(configText, 'scaling').path,
  };
}

function placeOf(configText: string, subject: Subject): KeyPlace {
  const { fields } = findPart(new Fields(parseConfig(configText), ''));
  const key = KEYS[subject].find((name) => isWritten(fields, name.split('.')));
  const path = key === undefined ? '' : fields.at(key);
  return { path, line: path === '' ? 1 : lineOfKey(configText, path) };
}

/** A null block is written down, but says nothing. */
function isWritten(fields: Fields, [key = '', inner]: readonly string[]): boolean {
  if (!fields.given(key)) return false;
  const value = fields.raw(key);
  return inner === undefined || (isRecord(value) && Object.hasOwn(value, inner));
}
