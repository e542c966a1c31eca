import { RopeEvalError } from '../errors.js';
import type { Finding } from '../findings/index.js';
import { BOUNDS, own, parseConfig, show, type UnknownRecord } from '../json/parse.js';
import { referenceSoftmaxScale, referenceSpecs } from '../model/evidence.js';
import type { ModelGeometry, Reference } from '../model/types.js';
import type { AnySpec, Shorthand, ShorthandRequest } from '../rope/kind.js';
import {
  FACTOR_METHODS,
  type FactorMethod,
  keepsItsKind,
  type RopeSpec,
  SHORTHANDS,
} from '../rope/registry.js';
import { didYouMean } from '../text.js';

/** A scaling given by a shorthand with a factor, such as `yarn:4:beta_fast=16`. */
export interface FactorDefinition extends ShorthandRequest {
  readonly label: string;
  readonly method: FactorMethod;
}

/** A candidate as the user wrote it; plain data. */
export type CandidateDefinition = { readonly label: string } & (
  | Omit<FactorDefinition, 'label'>
  | { readonly method: 'theta'; readonly theta: number }
  | { readonly method: 'none' }
  | { readonly method: 'as-configured' }
  /** What the weights were trained with. A comparison has it as a row of its own in any case. */
  | { readonly method: 'reference' }
  /** The lists of factors come from a file. */
  | { readonly method: 'longrope'; readonly file: string }
  /** A scaling block, read as transformers would read it. */
  | { readonly method: 'block'; readonly block: UnknownRecord }
);

/** A candidate applied to one model. */
export interface ResolvedCandidate {
  readonly label: string;
  readonly definition: CandidateDefinition;
  /** One per layer group, parallel to `model.groups`. */
  readonly specs: readonly RopeSpec[];
  /** Multiplier on q·k, candidate / reference, besides the attention scaling of the tables. */
  readonly softmaxScaleRatio: number;
  readonly findings: readonly Finding[];
}

type CandidateErrorKind =
  | 'unknown_candidate'
  | 'unknown_parameter'
  | 'invalid_value'
  | 'duplicate_candidate'
  | 'invalid_json'
  | 'unsupported_candidate'
  | 'no_candidates';

/**
 * Throws an error about a candidate.
 *
 * @param candidate the candidate as the user wrote it
 * @throws RopeEvalError always; exit code 2 for every kind
 */
export function failCandidate(
  kind: CandidateErrorKind,
  candidate: string,
  problem: string,
  hint = '',
): never {
  throw new RopeEvalError(kind, { candidate, problem, hint });
}

/** A decimal number. `Number` alone would also read '' and ' ' as 0 and accept hexadecimal. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function readShorthandFactor(item: string, method: string, text: string | undefined): number {
  if (text === undefined || text === '') {
    failCandidate('invalid_value', item, `needs a factor, e.g. ${method}:4`);
  }
  const factor = parseNumber(text);
  if (!(factor >= 1)) {
    failCandidate(
      'invalid_value',
      item,
      `the factor must be a number of at least 1, found "${text}"`,
      'a factor multiplies the trained window',
    );
  }
  if (factor > BOUNDS.factor) {
    failCandidate('invalid_value', item, `the factor must be at most ${BOUNDS.factor}`);
  }
  return factor;
}

function readTheta(item: string, text: string | undefined): number {
  const theta = parseNumber(text ?? '');
  if (!(theta > 1) || theta > BOUNDS.theta) {
    failCandidate('invalid_value', item, `needs a base above 1, e.g. theta:1e6`);
  }
  return theta;
}

/** Reads `key=value` pairs, whose keys are those of a config block. */
function readParams(
  item: string,
  pairs: readonly string[],
  params: Shorthand<AnySpec>['params'],
): Readonly<Record<string, number | boolean>> {
  const known = Object.keys(params);
  const values: Record<string, number | boolean> = {};
  for (const pair of pairs) {
    const [key = '', value] = pair.split('=', 2);
    if (!known.includes(key)) {
      failCandidate(
        'unknown_parameter',
        item,
        `has no parameter "${key}"${didYouMean(key, known)}`,
        known.length === 0 ? 'it takes a factor only' : `known: ${known.join(', ')}`,
      );
    }
    if (Object.hasOwn(values, key)) {
      failCandidate('duplicate_candidate', item, `${key} is given twice`);
    }
    values[key] = readParam(item, key, value ?? '', params[key]);
  }
  return Object.freeze(values);
}

function readParam(
  item: string,
  key: string,
  text: string,
  kind: 'number' | 'boolean' | undefined,
): number | boolean {
  if (kind === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true';
    failCandidate('invalid_value', item, `${key} must be true or false, found "${text}"`);
  }
  const value = parseNumber(text);
  if (!(value > 0) || value > BOUNDS.positions) {
    failCandidate('invalid_value', item, `${key} must be a number above 0, found "${text}"`);
  }
  return value;
}

function parseNumber(text: string): number {
  return NUMBER.test(text) ? Number(text) : Number.NaN;
}

const BARE_METHODS = ['none', 'as-configured', 'reference'] as const;
const NAMES = [...FACTOR_METHODS, 'theta', 'longrope', ...BARE_METHODS];

/** Each candidate runs every probe, so a longer list is a mistake. */
const MAX_CANDIDATES = 64;

function checkCount(count: number): void {
  if (count <= MAX_CANDIDATES) return;
  failCandidate('invalid_value', '', `${count} are given; ${MAX_CANDIDATES} are allowed`);
}

/**
 * Reads candidates: either a list such as `yarn:4,linear:2,theta:1e6,none`, with parameters as in
 * `yarn:4:beta_fast=16`, or one JSON object as it would appear in a config.
 *
 * @throws RopeEvalError exit code 2: `unknown_candidate`, `unknown_parameter`, `invalid_value`,
 *   `duplicate_candidate`, `invalid_json`, `no_candidates`
 */
export function parseCandidates(text: string): CandidateDefinition[] {
  // Programs without types call this function too.
  if (typeof text !== 'string') {
    failCandidate('invalid_value', show(text), 'must be text, such as yarn:4,linear:2');
  }
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return [parseBlock(trimmed)];
  if (trimmed.startsWith('[')) {
    failCandidate('invalid_json', '[...]', 'a list is not read; give one JSON object per option');
  }
  const items = trimmed.split(',').map((item) => item.trim());
  checkCount(items.length);
  const found = items.map(parseOne);
  checkDistinct(found);
  return found;
}

/** Joins the lists of several options. @throws RopeEvalError `duplicate_candidate` */
export function joinCandidates(
  lists: readonly (readonly CandidateDefinition[])[],
): CandidateDefinition[] {
  const all = lists.flat();
  checkCount(all.length);
  checkDistinct(all);
  return all;
}

/** Spells a shorthand as labels do: `YaRN:4x` is `yarn:4`. The file of a longrope stays as it is. */
function spelt(item: string): string {
  return item
    .replace(/^[a-z0-9-]+(?=:|$)/i, (name) => name.toLowerCase())
    .replace(/^([a-z0-9-]+:\d+(?:\.\d+)?)x(?=:|$)/i, '$1');
}

/** Suggests `yarn:4` for `yarn4`, `yarn=4` and `yarn-4`, and else the nearest name. */
function meantBy(name: string): string {
  const [, method = '', factor] = /^([a-z0-9-]*?[a-z3])[-=_ ]?(\d+(?:\.\d+)?)x?$/i.exec(name) ?? [];
  const known = method.toLowerCase();
  return isFactorMethod(known)
    ? ` (did you mean "${known}:${factor}"?)`
    : didYouMean(name.toLowerCase(), NAMES);
}

function parseOne(given: string): CandidateDefinition {
  const item = spelt(given);
  if (item === '') {
    failCandidate('no_candidates', '""', 'is empty', `known: ${NAMES.join(', ')}`);
  }
  const [name = '', value, ...rest] = item.split(':');
  if (name === 'longrope') {
    // The path itself may contain colons, as on Windows.
    const file = item.slice('longrope:'.length);
    if (file === '') failCandidate('invalid_value', item, 'needs a file: longrope:factors.json');
    return { label: item, method: 'longrope', file };
  }
  const bare = BARE_METHODS.find((each) => each === name);
  if (bare !== undefined) {
    if (value !== undefined) failCandidate('invalid_value', item, 'takes no value');
    return { label: bare, method: bare };
  }
  if (name === 'theta') {
    if (rest.length > 0) failCandidate('unknown_parameter', item, 'theta takes no parameters');
    return { label: item, method: 'theta', theta: readTheta(item, value) };
  }
  if (!isFactorMethod(name)) {
    failCandidate(
      'unknown_candidate',
      item,
      `"${name}" is not a scaling${meantBy(name)}`,
      `known: ${NAMES.join(', ')}`,
    );
  }
  return {
    label: item,
    method: name,
    factor: readShorthandFactor(item, name, value),
    params: readParams(item, rest, SHORTHANDS[name].shorthand.params),
  };
}

/** Returns the argument that gives a candidate to a command, if that is not its label. */
export function argumentOf(definition: CandidateDefinition | undefined): {
  readonly argument?: string;
} {
  const isNamed = definition?.method !== 'block' || !definition.label.startsWith(BLOCK_LABEL);
  return isNamed ? {} : { argument: JSON.stringify(definition.block) };
}

/** The start of a JSON object's label, which is not itself a valid candidate. */
const BLOCK_LABEL = 'json:';

function isFactorMethod(name: string): name is FactorMethod {
  return Object.hasOwn(SHORTHANDS, name);
}

function parseBlock(text: string): CandidateDefinition {
  try {
    const block = parseConfig(text, { source: 'candidate' });
    return { label: blockLabel(block), method: 'block', block };
  } catch (error) {
    if (!(error instanceof RopeEvalError)) throw error;
    failCandidate('invalid_json', '{...}', error.message, error.hint);
  }
}

function blockLabel(block: UnknownRecord): string {
  const type = own(block, 'rope_type') ?? own(block, 'type');
  const factor = own(block, 'factor');
  const name = typeof type === 'string' ? type.slice(0, 40) : 'block';
  return `${BLOCK_LABEL}${name}${typeof factor === 'number' ? `:${factor}` : ''}`;
}

/** Refuses equal candidates. Two different JSON objects may share a label. */
function checkDistinct(found: readonly CandidateDefinition[]): void {
  const seen = new Set<string>();
  for (const definition of found) {
    // `yarn:4` and `yarn:4.0` are the same one, while the label of a longrope is its file.
    const isLabelled = definition.method === 'longrope';
    const key = JSON.stringify(isLabelled ? definition : { ...definition, label: '' });
    if (seen.has(key)) failCandidate('duplicate_candidate', definition.label, 'is given twice');
    seen.add(key);
  }
}

/**
 * Chooses the candidates to compare if the user names none. The reference is not among them, since
 * it has its own row.
 *
 * The config's scaling comes first if it is not the reference, followed by the published scalings
 * at the target's multiple. `dynamic:1` is the published dynamic NTK, alpha = length / window; a
 * larger factor would stretch beyond the length at hand. A larger theta is left out because `ntk`
 * is the same thing. There are at most 8.
 *
 * @param multiple target length / trained window
 * @param before the config before a change, from which the reference was taken
 */
export function defaultCandidates(
  multiple: number,
  model: ModelGeometry,
  reference: Reference,
  before: ModelGeometry = model,
): CandidateDefinition[] {
  const found: CandidateDefinition[] = [];
  const trained = JSON.stringify(referenceSpecs(model, before, reference));
  const written = JSON.stringify(model.groups.map(({ rope }) => rope));
  const plain = JSON.stringify(referenceSpecs(model, before, { kind: 'unscaled' }));
  if (written !== trained || model.softmaxScale !== referenceSoftmaxScale(before, reference)) {
    found.push({ label: 'as-configured', method: 'as-configured' });
  }
  if (plain !== trained) found.push({ label: 'none', method: 'none' });
  if (!(multiple > 1)) return found;
  const factor = roundUp(multiple);
  const fixedKind = model.groups.some((group) => keepsItsKind(group.rope));
  const methods: readonly FactorMethod[] = fixedKind
    ? ['linear']
    : ['yarn', 'by-parts', 'llama3', 'ntk', 'linear'];
  found.push(...methods.map((method) => withFactor(method, factor)));
  if (!fixedKind) found.push(withFactor('dynamic', 1));
  return found;
}

function withFactor(method: FactorMethod, factor: number): CandidateDefinition {
  return { label: `${method}:${factor}`, method, factor, params: Object.freeze({}) };
}

/** Rounds up to two decimals, because the factor must cover the target. */
export function roundUp(value: number): number {
  return Math.ceil(value * 100 - 1e-9) / 100;
}
