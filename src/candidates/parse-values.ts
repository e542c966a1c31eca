import { BOUNDS } from '../config/bounds.js';
import { didYouMean } from '../suggest.js';
import { failCandidate } from './fail.js';

/** A decimal number; `Number` alone would read '' and ' ' as 0, and hexadecimal. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A factor of at least 1. */
export function readFactor(item: string, method: string, text: string | undefined): number {
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
export function readTheta(item: string, text: string | undefined): number {
  const theta = parseNumber(text ?? '');
  if (!(theta > 1) || theta > BOUNDS.theta) {
    failCandidate('invalid_value', item, `needs a base above 1, e.g. theta:1e6`);
  }
  return theta;
}

/** `key=value` pairs; keys are those of a config block. */
export function readParams(
  item: string,
  pairs: readonly string[],
  known: readonly string[],
): Readonly<Record<string, number | boolean>> {
  const params: Record<string, number | boolean> = {};
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
    if (Object.hasOwn(params, key)) {
      failCandidate('duplicate_candidate', item, `${key} is given twice`);
    }
    params[key] = readParam(item, key, value ?? '');
  }
  return Object.freeze(params);
}

function readParam(item: string, key: string, text: string): number | boolean {
  if (key === 'truncate') {
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
