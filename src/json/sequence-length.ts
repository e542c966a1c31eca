import { RopeEvalError } from '../errors.js';
import { BOUNDS } from './bounds.js';
import { show } from './fail.js';

/**
 * Checks a length in tokens that a user gave, before anything is computed from it.
 *
 * @param value a number, or the text from the command line; `8k`, `1m`, underscores and
 *   commas between thousands are read
 * @param option name for the message
 * @throws RopeEvalError `out_of_range` unless it is a whole number from 1 to 2^40
 */
export function checkSequenceLength(value: unknown, option = 'sequenceLength'): number {
  const number = typeof value === 'string' ? parseLength(value) : value;
  if (
    typeof number !== 'number' ||
    !Number.isInteger(number) ||
    number < 1 ||
    number > BOUNDS.positions
  ) {
    throw new RopeEvalError('out_of_range', {
      option,
      problem: `must be a whole number of tokens from 1 to ${BOUNDS.positions}, found ${show(value)}`,
    });
  }
  return number;
}

/** `131072`, `131_072`, `131,072`, `128k` (x 1024), `1m` (x 1048576). */
function parseLength(text: string): number {
  const match = /^(\d{1,3}(?:,\d{3})+|\d[\d_]*(?:\.\d+)?(?:e\d+)?)([km]?)$/i.exec(text.trim());
  if (match === null) return Number.NaN;
  const [, digits = '', unit = ''] = match;
  const size = { '': 1, k: 1024, m: 1024 * 1024 }[unit.toLowerCase()] ?? Number.NaN;
  return Number(digits.replaceAll(/[_,]/g, '')) * size;
}
