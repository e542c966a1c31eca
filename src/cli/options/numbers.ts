import { InvalidArgumentError } from 'commander';
import { checkSequenceLength } from '../../config/sequence-length.js';

/** Beyond this no rotary table has a pair left that turns. */
const MAX_FACTOR = 65_536;

const DECIMAL = /^\d+(\.\d+)?$/;

/** `131072`, `128k` (= 131072), `1e6`; the same message wherever a length is asked for. */
export function tokensFor(option: string): (text: string) => number {
  return (text) => checkSequenceLength(text, option);
}

/** `2,4` or `2x,4x`; the option may also be given again. */
export function factors(text: string, before: readonly number[] = []): number[] {
  const values = text.split(',').map((part) => {
    const digits = part.trim().replace(/x$/i, '');
    return DECIMAL.test(digits) ? Number(digits) : Number.NaN;
  });
  if (!values.every((value) => value > 1 && value <= MAX_FACTOR)) {
    throw new InvalidArgumentError(
      `Give numbers above 1 and at most ${MAX_FACTOR}, with commas between, such as 2,4.`,
    );
  }
  return [...new Set([...before, ...values])].sort((a, b) => a - b);
}

/** A whole number within bounds, for counts and seeds. */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(value >= low && value <= high)) {
      throw new InvalidArgumentError(`Give a whole number from ${low} to ${high}.`);
    }
    return value;
  };
}

/** A number above 0, for physical quantities. */
export function positiveNumber(text: string): number {
  const value = DECIMAL.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError('Give a number above 0.');
  }
  return value;
}

/** An option that is read once: of two, the first would be dropped without a word. */
export function once(text: string, before?: string): string {
  if (before !== undefined) {
    throw new InvalidArgumentError(`It is given already, as ${before}. Give it once.`);
  }
  return text;
}

/** Collects an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
