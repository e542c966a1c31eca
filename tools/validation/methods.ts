import type { Method } from './types.js';
import { readNumber } from './values.js';

/** Phrases whose single words would have other meanings, replaced in this order. */
const PHRASES: readonly (readonly [RegExp, string])[] = Object.freeze([
  [/(\d),(?=\d{3}\b)/g, '$1'],
  [/e\+(?=\d)/g, 'e'],
  [/\bbase model\b|\b(direct )?extrapolation\b/g, ' none '],
  [/\b(no|without)( rope)? (scaling|extension|interpolation)\b/g, ' none '],
  [/\bby[ _-]?parts?\b/g, ' parts '],
  [/\bllama[ _-]?3(\.\d)?\b/g, ' llama3 '],
  [/\blong[ _-]?rope\b/g, ' longrope '],
  [/\bposition(al)? interpolation\b/g, ' linear '],
  [/\b(adjusted )?base frequency\b/g, ' theta '],
]);

/**
 * Words with the same meaning. Those of `''` mean nothing. A word that is not listed makes a name
 * unknown.
 */
const VOCABULARY: Readonly<Record<string, string>> = Object.freeze({
  none: 'none unscaled baseline original vanilla default unmodified plain',
  linear: 'linear pi',
  ntk: 'ntk ntkaware',
  parts: 'parts',
  yarn: 'yarn',
  llama3: 'llama3',
  longrope: 'longrope su',
  theta: 'theta abf base',
  dynamic: 'dynamic dyn',
  '': 'static fixed aware scaling scaled rope interpolation only factor alpha scale s x changed larger increased new',
});
const MEANING: ReadonlyMap<string, string> = new Map(
  Object.entries(VOCABULARY).flatMap(([mark, words]) => words.split(' ').map((w) => [w, mark])),
);

/** Methods by the meanings found in a name, in alphabetical order. */
const METHODS: ReadonlyMap<string, Method> = new Map([
  ['none', 'none'],
  ['linear', 'linear'],
  ['ntk', 'ntk'],
  ['parts', 'by-parts'],
  ['ntk parts', 'by-parts'],
  ['yarn', 'yarn'],
  ['dynamic', 'dynamic'],
  ['dynamic ntk', 'dynamic'],
  ['dynamic linear', 'dynamic-linear'],
  ['dynamic parts', 'dynamic-by-parts'],
  ['dynamic ntk parts', 'dynamic-by-parts'],
  ['dynamic yarn', 'dynamic-yarn'],
  ['llama3', 'llama3'],
  ['longrope', 'longrope'],
  ['theta', 'theta'],
]);

/** A factor that depends on the length: `max(1,l/L)`, `auto`. */
const FOLLOWS_LENGTH = /max\(|\bl\s*\/\s*l\b|\bn\s*\/\s*[lw]\b|auto|dynamic/i;

export interface NamedMethod {
  readonly method: Method;
  /** The number in the name ("YaRN (s=4)", "base=1e6"), if there is exactly one. */
  readonly number: number | undefined;
}

const words = (text: string): string[] => text.split(/[^a-z0-9.]+/).filter((w) => w !== '');

/**
 * Finds the method behind an author's spelling. Every word of the name must be understood, because
 * "Resonance YaRN" and "YaRN + logn" are other methods. In brackets, only "dynamic", "by parts" and
 * numbers are read; if the name itself says nothing, everything in them is.
 *
 * @param factor the row's factor as written: if it depends on the length, the method is dynamic
 */
export function readMethod(name: string, factor?: unknown): NamedMethod | undefined {
  let text = name.toLowerCase().replaceAll('_', ' ');
  for (const [pattern, word] of PHRASES) text = text.replace(pattern, word);
  const outside = text.replace(/\([^)]*\)/g, ' ');
  if (/[+&]/.test(outside)) return undefined;
  const marks = new Set<string>();
  const numbers: number[] = [];
  const hear = (word: string): boolean => {
    const number = readNumber(word.replace(/^[sx](?=\d)/, ''));
    const mark = MEANING.get(word);
    if (number !== undefined) numbers.push(number);
    else if (mark) marks.add(mark);
    return number !== undefined || mark !== undefined;
  };
  if (!words(outside).map(hear).every(Boolean)) return undefined;
  const nameless = marks.size === 0;
  for (const [, remark] of text.matchAll(/\(([^)]*)\)/g))
    for (const word of words(remark!))
      if (nameless || /^(dynamic|parts|[sx]?\d.*)$/.test(word)) hear(word);
  if (typeof factor === 'string' && FOLLOWS_LENGTH.test(factor)) marks.add('dynamic');
  const method = METHODS.get([...marks].sort().join(' '));
  return method && { method, number: numbers.length === 1 ? numbers[0] : undefined };
}
