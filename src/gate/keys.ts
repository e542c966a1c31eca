import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { Fields } from '../json/fields.js';
import { isRecord, parseConfig } from '../json/parse.js';
import { findPart } from '../model/part.js';
import { type MetricName, METRICS, type Subject } from './metrics.js';

/**
 * Line (from 1) of a key in a JSON text, for annotations. The nearest ancestor that is there is
 * used where the key itself is not: a missing factor is reported at its block.
 *
 * @param path dotted, as findings write it: `rope_scaling.factor`, `rope_parameters.0.factor`
 */
export function lineOfKey(text: string, path: string): number {
  const root = parseTree(text);
  if (!root) return 1;
  const segments = path === '' ? [] : path.split('.');
  let node: Node = root;
  for (const segment of segments) {
    const next =
      findNodeAtLocation(node, [segment]) ??
      (/^\d+$/.test(segment) ? findNodeAtLocation(node, [Number(segment)]) : undefined);
    if (!next) break;
    node = next;
  }
  // A property's value has the property as its parent: its key is what the line should show.
  const shown = node.parent?.type === 'property' ? node.parent : node;
  return lineAt(text, shown.offset);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** What a key is about, and the names it goes by; the first that is there is meant. */
const KEYS: Readonly<Record<Subject, readonly string[]>> = Object.freeze({
  scaling: ['rope_scaling', 'rope_parameters'],
  theta: ['rope_theta', 'rotary_emb_base', 'rope_parameters.rope_theta'],
  window: ['max_position_embeddings', 'n_positions', 'max_sequence_length', 'seq_length'],
  localWindow: ['sliding_window', 'attention_window_size', 'attention_chunk_size'],
});

/** A key of a config and the line it stands on; path '' and line 1 where it is not written. */
interface KeyPlace {
  readonly path: string;
  readonly line: number;
}

/**
 * The key to look at when a rule on this metric fails. A change is to blame for what got worse, and
 * of several a new theta first, since no scaling makes up for it.
 *
 * @param changed what differs from the config before the change; empty without one
 */
export function culpritOf(
  configText: string,
  metric: MetricName,
  changed: readonly Subject[] = [],
): KeyPlace & { readonly subject: Subject | undefined } {
  const usual = METRICS[metric].culprits;
  const subjects = changed.length === 0 ? usual : BLAME.filter((each) => changed.includes(each));
  const places = subjects.map((subject) => ({ subject, ...placeOf(configText, subject) }));
  return places.find(({ path }) => path !== '') ?? { subject: undefined, path: '', line: 1 };
}

const BLAME: readonly Subject[] = ['theta', 'scaling', 'window', 'localWindow'];

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
