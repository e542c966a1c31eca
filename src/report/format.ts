import { MINUS, percent, tokens, trim } from '../numbers.js';
import type { CandidateReach } from './schema/candidate.js';
import type { Interval, Reach } from './schema/report.js';

export { percent, tokens, trim };

/** 131072 → `128k`, k = 1024 as on model cards; `131,000` where it does not come out even. */
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

/** `131,072`, with `≥` where the ladder ended before the accuracy did. */
export function reachTokens(reach: Reach): string {
  return `${reach.censored ? '≥ ' : ''}${tokens(reach.tokens)}`;
}

/**
 * Where the reach of a model is expected, as multiples of the trained window; where the ladder ended
 * first, and in reports that do not say it, the interval over contexts.
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

/** Lists for people: `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/**
 * Control characters taken out of untrusted text: a config could carry terminal escapes in a
 * name, and line breaks would tear a table.
 */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '·');
}
