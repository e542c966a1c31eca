import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { z } from 'zod';
import { messageOf } from '../errors.js';
import { Fields } from '../json/fields.js';
import {
  isRecord,
  own,
  parseConfig,
  sameValue,
  type UnknownRecord,
  valueAt,
  withValueAt,
} from '../json/parse.js';
import { isMistralParams } from '../model/other-formats.js';
import { findPart } from '../model/part.js';
import { isNotRope, readModel } from '../model/read-model.js';
import type { ModelGeometry, NotRope } from '../model/types.js';
import { factsOf } from './changes.js';
import { harmlessReason } from './harmless.js';
import { type MetricName, METRICS, type RopeSetting } from './metrics.js';

/**
 * Finds the line (from 1) of a key in a JSON text, for annotations. If the key is absent, its
 * nearest ancestor is used: a missing factor is reported at its block.
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
  // The parent of a property's value is the property itself, whose key determines the line.
  const shown = node.parent?.type === 'property' ? node.parent : node;
  return text.slice(0, shown.offset).split('\n').length;
}

/** The names under which configs write each thing. The first that is present counts. */
const KEYS: Readonly<Record<RopeSetting, readonly string[]>> = Object.freeze({
  scaling: ['rope_scaling', 'rope_parameters', 'yarn'],
  theta: ['rope_theta', 'rotary_emb_base', 'rope_parameters.rope_theta'],
  window: [
    'max_position_embeddings',
    'n_positions',
    'max_sequence_length',
    'seq_length',
    'max_seq_len',
  ],
  localWindow: ['sliding_window', 'attention_window_size', 'attention_chunk_size'],
});

/**
 * Finds the key to look at when a rule on this metric fails. If there was a change, the changed
 * keys are to blame, and a new theta comes first because no scaling compensates for it.
 *
 * @param changed what differs from the config before the change; empty without one
 * @returns path '' and line 1 if the config writes no such key
 */
export function culpritOf(
  configText: string,
  metric: MetricName,
  changed: readonly RopeSetting[] = [],
) {
  const usual = METRICS[metric].culprits;
  const settings = changed.length === 0 ? usual : BLAME.filter((each) => changed.includes(each));
  const fields = fieldsOf(configText);
  const places = settings.map((setting) => ({ setting, path: pathOf(fields, setting) }));
  const found = places.find(({ path }) => path !== '');
  if (found === undefined) return { setting: undefined, path: '', line: 1 };
  return { ...found, line: lineOfKey(configText, found.path) };
}

const BLAME: readonly RopeSetting[] = ['theta', 'scaling', 'window', 'localWindow'];

/** The paths at which this config writes theta, windows and scaling; '' = it does not. */
export function geometryKeys(configText: string): Readonly<Record<RopeSetting, string>> {
  const fields = fieldsOf(configText);
  const paths = BLAME.map((setting) => [setting, pathOf(fields, setting)] as const);
  return Object.fromEntries(paths) as Record<RopeSetting, string>;
}

function fieldsOf(configText: string): Fields {
  const root = new Fields(parseConfig(configText), '');
  return isMistralParams(root.record) ? root : findPart(root).fields;
}

function pathOf(fields: Fields, setting: RopeSetting): string {
  const key = KEYS[setting].find((name) => isWritten(fields, name.split('.')));
  return key === undefined ? '' : fields.at(key);
}

/** Whether a config writes a key with a value. A null block says nothing. */
function isWritten(fields: Fields, [key = '', inner]: readonly string[]): boolean {
  if (!fields.given(key)) return false;
  const value = fields.raw(key);
  return inner === undefined || (isRecord(value) && Object.hasOwn(value, inner));
}

/** A key whose value differs between two configs, and what the difference means to the gate. */
export const DifferenceSchema = z.strictObject({
  key: z.string().describe('Path, with dots.'),
  was: z.string().describe('As JSON, cut where it is long; `absent`.'),
  found: z.string(),
  judgement: z
    .enum(['judged', 'harmless', 'allowed', 'not-judged'])
    .describe(
      'judged: the reading of the config depends on it, and every fact of the reading is compared; ' +
        'harmless: see reason; allowed: by the policy; not-judged: fails the gate.',
    ),
  reason: z.string().optional(),
});

export type Difference = Readonly<z.infer<typeof DifferenceSchema>>;

/** With more differences, the files are unrelated. Each key takes several readings. */
const MOST_PROBED = 64;

/** A longer list would not be read by anyone. */
const MOST_LISTED = 1000;

export interface DifferenceContext {
  /** Dotted path of the part that was read; '' = the top. */
  readonly partPath: string;
  /** Defaults of the class that reads the part, by key; undefined if the class is unknown. */
  readonly defaults: ReadonlyMap<string, unknown> | undefined;
  /** Whether the model uses RoPE both before and after the change. */
  readonly rotates: boolean;
  /** Keys that the policy allows to change, including everything below them. */
  readonly allow: readonly string[];
}

/**
 * Lists every key that differs between two configs, at any depth.
 *
 * A difference counts as judged if the reading of the config depends on the key, because its whole
 * effect is then in the facts that are compared. To find out, the key alone is changed in either
 * file and the file is read again. A list of known keys would miss the one that somebody forgot.
 */
export function differencesBetween(
  before: UnknownRecord,
  after: UnknownRecord,
  context: DifferenceContext,
): readonly Difference[] {
  const all = differingPaths(before, after, []);
  const paths = all.slice(0, MOST_LISTED);
  const isRead = paths.length > MOST_PROBED ? () => false : readerOf(before, after);
  const listed = paths.map((path): Difference => {
    const [was, found] = [valueAt(before, path), valueAt(after, path)];
    const key = path.join('.');
    const shown = { key, was: show(was), found: show(found) };
    const same = sameEffect(path, was, found, context);
    if (same !== undefined) return { ...shown, judgement: 'harmless', reason: same };
    const parent = path.slice(0, -1);
    const sides = [before, after]
      .map((config) => ({ part: valueAt(config, parent), value: valueAt(config, path) }))
      .filter(({ value }) => value !== undefined);
    const reason = harmlessReason(path, sides, context.rotates);
    if (reason !== undefined) return { ...shown, judgement: 'harmless', reason };
    if (isRead(path)) return { ...shown, judgement: 'judged' };
    const allowed = context.allow.some((name) => key === name || key.startsWith(`${name}.`));
    return { ...shown, judgement: allowed ? 'allowed' : 'not-judged' };
  });
  if (all.length === paths.length) return listed;
  const left = `${all.length - paths.length} more keys`;
  return [...listed, { key: '', was: left, found: left, judgement: 'not-judged' }];
}

type Path = readonly string[];

/** The paths of leaves that differ. A list is one value, because its entries have no names. */
function differingPaths(before: unknown, after: unknown, path: Path): Path[] {
  if (!isRecord(before) && !isRecord(after)) return sameValue(before, after) ? [] : [path];
  // An object that appears or disappears counts as one difference for each of its keys.
  if ((before ?? null) !== null && !isRecord(before)) return [path];
  if ((after ?? null) !== null && !isRecord(after)) return [path];
  const [old, now] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  if (keys.length === 0) return sameValue(before, after) ? [] : [path];
  const found = keys.flatMap((key) => differingPaths(own(old, key), own(now, key), [...path, key]));
  // The readers treat both `{}` and null as absent, but nothing proves that here.
  return found.length === 0 && !sameValue(before, after) ? [path] : found;
}

/** Recognizes differences without effect: a spelled-out default, and an empty rope block. */
function sameEffect(
  path: Path,
  was: unknown,
  found: unknown,
  { partPath, defaults }: DifferenceContext,
): string | undefined {
  const part = path.slice(0, -1).join('.');
  const name = path.at(-1) ?? '';
  if (part === partPath && ROPE_BLOCKS.has(name) && isEmpty(was) && isEmpty(found)) {
    return 'an empty block is no block';
  }
  if (part !== partPath || defaults === undefined || !defaults.has(name)) return undefined;
  const effective = (value: unknown): unknown => (value === undefined ? defaults.get(name) : value);
  if (effective(was) === null && effective(found) === null) {
    return 'null is the default of the class';
  }
  return sameValue(effective(was), effective(found)) ? 'the default of the class' : undefined;
}

const ROPE_BLOCKS: ReadonlySet<string> = new Set(['rope_scaling', 'rope_parameters']);

function isEmpty(value: unknown): boolean {
  return (value ?? null) === null || (isRecord(value) && Object.keys(value).length === 0);
}

/**
 * Makes a test of whether the readings of two configs depend on a key, from the reader's own
 * behaviour. The original window counts only if its block appears or disappears: it is then part of
 * what is measured, and elsewhere nothing compares it.
 */
function readerOf(before: UnknownRecord, after: UnknownRecord): (path: Path) => boolean {
  const readings = (facts: Facts) => ({
    facts,
    old: reading(before, facts),
    now: reading(after, facts),
  });
  const [whole, compared] = [readings(wholeFactsOf), readings(factsOf)];
  return (path) => {
    const parent = path.slice(0, -1);
    const inBoth = [before, after].every((config) => isRecord(valueAt(config, parent)));
    const { facts, old, now } = inBoth ? compared : whole;
    const read = (config: UnknownRecord, value: unknown): string =>
      reading(withValueAt(config, path, value), facts);
    const [was, found] = [valueAt(before, path), valueAt(after, path)];
    if (read(before, found) !== old || read(after, was) !== now) return true;
    // A value that equals the default, such as beta_fast 32 in a new block, has no effect by
    // itself.
    const others = otherThan(found ?? was);
    const matters = (other: unknown): boolean =>
      found === undefined ? read(before, other) !== old : read(after, other) !== now;
    return others.length > 0 && others.every(matters);
  };
}

/** Longer lists are not examined, because each entry takes a reading of the config. */
const MOST_ENTRIES = 128;

/**
 * Makes other values to put in the place of this one; none if no alternative is known. A list
 * yields one for each of its entries, because a reader may read only some of them.
 */
function otherThan(value: unknown): readonly unknown[] {
  if (typeof value === 'number') return [value * 2 + 1];
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'string') return [`${value}-other`];
  if (!Array.isArray(value) || value.length > MOST_ENTRIES) return [];
  const list: readonly unknown[] = value;
  const others = list.map((entry) => (Array.isArray(entry) ? [] : otherThan(entry)));
  if (others.some((each) => each.length === 0)) return [];
  return others.map(([other], index) => list.map((entry, i) => (i === index ? other : entry)));
}

type Facts = (model: ModelGeometry | NotRope) => unknown;

function wholeFactsOf(model: ModelGeometry | NotRope): unknown {
  return [factsOf(model), isNotRope(model) ? undefined : model.originalMaxPositions];
}

/** What a config says about the model, as text; an error if it cannot be read. */
function reading(config: UnknownRecord, facts: Facts): string {
  try {
    return JSON.stringify(facts(readModel(config)));
  } catch (error) {
    return `error: ${messageOf(error)}`;
  }
}

function show(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value) ?? 'absent';
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

const LONGEST_SHOWN = 60;
