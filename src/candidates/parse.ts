import { RopeEvalError } from '../errors.js';
import { BOUNDS } from '../json/bounds.js';
import { show } from '../json/fail.js';
import { parseConfig } from '../json/parse.js';
import { didYouMean } from '../suggest.js';
import type { Shorthand } from '../rope/kind.js';
import type { AnySpec } from '../rope/spec.js';
import { FACTOR_METHODS, SHORTHANDS, type FactorMethod } from '../rope/registry.js';
import { type CandidateDefinition, failCandidate } from './definition.js';

/** A decimal number; `Number` alone would read '' and ' ' as 0, and hexadecimal. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A factor of at least 1. */
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

/** A base above 1. */
function readTheta(item: string, text: string | undefined): number {
  const theta = parseNumber(text ?? '');
  if (!(theta > 1) || theta > BOUNDS.theta) {
    failCandidate('invalid_value', item, `needs a base above 1, e.g. theta:1e6`);
  }
  return theta;
}

/** `key=value` pairs; keys are those of a config block. */
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

const BARE_METHODS = ['none', 'as-configured'] as const;
const NAMES = [...FACTOR_METHODS, 'theta', 'longrope', ...BARE_METHODS];

/** Each candidate costs a run; a longer list is a mistake. */
const MAX_CANDIDATES = 64;

/** Each of them is a run of every probe. */
function checkCount(count: number): void {
  if (count <= MAX_CANDIDATES) return;
  failCandidate('invalid_value', '', `${count} are given; ${MAX_CANDIDATES} are allowed`);
}

/**
 * Reads candidates: a list such as `yarn:4,linear:2,theta:1e6,none` with parameters
 * (`yarn:4:beta_fast=16`), or one JSON object as it would stand in a config.
 *
 * @throws RopeEvalError exit code 2: `unknown_candidate`, `unknown_parameter`, `invalid_value`,
 *   `duplicate_candidate`, `invalid_json`, `no_candidates`
 */
export function parseCandidates(text: string): CandidateDefinition[] {
  // The library is called from programs without types as well.
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

/**
 * Joins the lists of several options; the same candidate twice is an error.
 *
 * @throws RopeEvalError `duplicate_candidate`
 */
export function joinCandidates(
  lists: readonly (readonly CandidateDefinition[])[],
): CandidateDefinition[] {
  const all = lists.flat();
  checkCount(all.length);
  checkDistinct(all);
  return all;
}

function parseOne(item: string): CandidateDefinition {
  if (item === '') {
    failCandidate('no_candidates', '""', 'is empty', `known: ${NAMES.join(', ')}`);
  }
  const [name = '', value, ...rest] = item.split(':');
  if (name === 'longrope') {
    // A path may hold colons of its own, as on Windows.
    const file = item.slice('longrope:'.length);
    if (file === '') failCandidate('invalid_value', item, 'needs a file: longrope:factors.json');
    return { label: item, method: 'longrope', file };
  }
  if (name === 'none' || name === 'as-configured') {
    if (value !== undefined) failCandidate('invalid_value', item, 'takes no value');
    return { label: name, method: name };
  }
  if (name === 'theta') {
    if (rest.length > 0) failCandidate('unknown_parameter', item, 'theta takes no parameters');
    return { label: item, method: 'theta', theta: readTheta(item, value) };
  }
  if (!isFactorMethod(name)) {
    failCandidate(
      'unknown_candidate',
      item,
      `"${name}" is not a scaling${didYouMean(name, NAMES)}`,
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

function isFactorMethod(name: string): name is FactorMethod {
  return Object.hasOwn(SHORTHANDS, name);
}

/** A JSON object, labelled by its type and factor. */
function parseBlock(text: string): CandidateDefinition {
  try {
    const block = parseConfig(text, { source: 'candidate' });
    return { label: blockLabel(block), method: 'block', block };
  } catch (error) {
    if (!(error instanceof RopeEvalError)) throw error;
    failCandidate('invalid_json', '{...}', error.message, error.hint);
  }
}

function blockLabel(block: Readonly<Record<string, unknown>>): string {
  const own = (key: string): unknown => (Object.hasOwn(block, key) ? block[key] : undefined);
  const type = own('rope_type') ?? own('type');
  const factor = own('factor');
  const name = typeof type === 'string' ? type.slice(0, 40) : 'block';
  return typeof factor === 'number' ? `json:${name}:${factor}` : `json:${name}`;
}

/** Two JSON objects may share a label; two equal candidates are a mistake. */
function checkDistinct(found: readonly CandidateDefinition[]): void {
  const seen = new Set<string>();
  for (const definition of found) {
    const key = JSON.stringify({ ...definition, ...(sharesLabel(definition) && { label: '' }) });
    if (seen.has(key)) failCandidate('duplicate_candidate', definition.label, 'is given twice');
    seen.add(key);
  }
}

/** `yarn:4` and `yarn:4.0` are one candidate. */
function sharesLabel(definition: CandidateDefinition): boolean {
  return definition.method !== 'longrope';
}
