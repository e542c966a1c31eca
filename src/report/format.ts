import { randomInt } from 'node:crypto';
import { counted, list, MINUS, percent, tokens, trim } from '../text.js';
import type { CandidateReach, Interval, Reach } from './schema/values.js';

export { counted, list, percent, tokens, trim };

/** 131072 → `128k`, with k = 1024 as on model cards; `131,000` if it is no multiple of k / 2. */
export function shortTokens(count: number): string {
  const k = count / 1024;
  return count >= 1024 && Number.isInteger(k * 2) ? `${k}k` : tokens(count);
}

/** 4 → `4x`, 3.0517 → `3.05x` */
export function multiple(value: number): string {
  return `${trim(value, 2)}x`;
}

/** `+0.042`, `−0.004`, `0.000` */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? MINUS : '+'}${text}`;
}

/** Change of a share in percentage points: −0.012 → `−1.2 pts`. */
export function points(change: number): string {
  return `${signed(change * 100, 1)} pts`;
}

export function nats(change: number): string {
  return signed(change, 3);
}

/** The ends of a 95 % interval, `−2.0 … −0.4`; `scale` turns shares into points. */
export function ends(interval: Interval, digits: number, scale = 1): string {
  return `${signed(interval.low * scale, digits)} … ${signed(interval.high * scale, digits)}`;
}

/** `131,072`, with `≥` if the ladder ended before the accuracy fell. */
export function reachTokens(reach: Reach): string {
  return `${reach.censored ? '≥ ' : ''}${tokens(reach.tokens)}`;
}

/**
 * Shows where the reach of the real model is expected, in multiples of the trained window. If the
 * ladder ended first, or the report has no expectation, it shows the interval over contexts.
 */
export function reachEnds(reach: CandidateReach): string {
  const { expected } = reach;
  if (!reach.censored && expected && expected.high !== null)
    return `${trim(expected.low, 1)} … ${trim(expected.high, 1)}x`;
  if (reach.low === reach.high) return multiple(reach.multiple);
  return `${trim(reach.low, 2)} … ${multiple(reach.high)}`;
}

/** 1536 → `1.5 KiB` */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${trim(value, value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[unit]}`;
}

/**
 * Replaces control characters in untrusted text. A name in a config could contain terminal escapes,
 * and line breaks would disrupt a table.
 */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- the pattern looks for them
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '·');
}

/** Text styles, with the SGR codes that switch each on and off (ECMA-48). */
const STYLES = Object.freeze({
  bold: [[1], [22]],
  dim: [[2], [22]],
  red: [[31], [39]],
  green: [[32], [39]],
  yellow: [[33], [39]],
  cyan: [[36], [39]],
  boldRed: [
    [1, 31],
    [39, 22],
  ],
  boldGreen: [
    [1, 32],
    [39, 22],
  ],
} as const);

export type Style = keyof typeof STYLES;

/** Applies a style to a text, or returns the text unchanged if colour is off. */
export type Paint = Readonly<Record<Style, (text: string) => string>>;

/**
 * A random number that no file can contain, as extra parameters of each colour code. The stream
 * only lets codes with this number through, so an escape sequence from a config never reaches a
 * terminal, even if colour is on.
 */
const TOKEN = Array.from({ length: 3 }, () => String(randomInt(1000, 10_000))).join(';');

/** @param color whether the text is for a terminal that shows colour */
export function paint(color: boolean): Paint {
  return color ? COLOURED : PLAIN;
}

const PLAIN = forEachStyle(() => (text) => text);

const COLOURED = forEachStyle((style) => {
  const [on, off] = STYLES[style];
  // When a style ends inside another one, the outer style resumes only at its next code. Each line
  // therefore has its own codes, because tables cut texts at line breaks.
  return (text) =>
    text
      .split('\n')
      .map((line) => (line === '' ? line : `${codes(on)}${line}${codes(off)}`))
      .join('\n');
});

function codes(list: readonly number[]): string {
  return list.map((code) => `\u001b[${code};${TOKEN}m`).join('');
}

function forEachStyle(make: (style: Style) => (text: string) => string): Paint {
  const styles = Object.keys(STYLES) as Style[];
  return Object.freeze(Object.fromEntries(styles.map((style) => [style, make(style)]))) as Paint;
}

/** Matches our own codes in a text. The first group is the SGR code. */
export const OWN_CODE = new RegExp(`\\u001b\\[(\\d{1,2});${TOKEN}m`, 'g');

/** The lengths of a report that tables and sentences are about. */
export interface ReportLengths {
  readonly reference: { readonly trainedWindow: number };
  readonly target: { readonly tokens: number };
}

/** Lengths that a summary shows: 1x, 2x and the target. */
export function summaryLengths({ reference, target }: ReportLengths): readonly number[] {
  const window = reference.trainedWindow;
  const wanted = [window, 2 * window, target.tokens];
  return [...new Set(wanted)].filter((length) => length <= target.tokens);
}

/** Finds the rung at a length in tokens. Lengths may differ by rounding to whole tokens. */
export function rungAt<Rung extends { readonly tokens: number }>(
  { needle }: { readonly needle: readonly Rung[] },
  length: number,
): Rung | undefined {
  return needle.find((rung) => Math.abs(rung.tokens - length) <= 1);
}
