import type { MetricKind } from './types.js';

/** A metric, with what a value is multiplied by to be in nats. */
export interface Metric {
  readonly kind: MetricKind;
  readonly unit: number;
}

const DIFFERENCE = /change|increase|drop|degrad|delta|differen|Δ/i;
const LOSS = /loss|nll|\bnats?\b|cross.?entropy|log.{0,4}(perplexity|ppl)|neg\w*.log.?lik/i;
const ACCURACY =
  /accura|\bacc\b|score|pass|retriev|recall|needle|niah|\bem\b|exact.?match|\bf1\b|ruler|success/i;
/** Losses by the base of their logarithm. */
const BITS = /\bbits?\b|\bbp[bct]\b|log.?(2|₂)/i;
const DIGITS = /log.?(10|₁₀)/i;

/**
 * A change of loss is read as a loss: rows are compared with each other, and what both lack cancels.
 *
 * @returns undefined for a metric that is none of ours, or whose differences do not compare
 */
export function readMetric(text: unknown): Metric | undefined {
  if (typeof text !== 'string') return undefined;
  // "Accuracy loss" is a difference of shares.
  if (ACCURACY.test(text) && LOSS.test(text)) return undefined;
  if (DIGITS.test(text)) return { kind: 'loss', unit: Math.LN10 };
  if (BITS.test(text)) return { kind: 'loss', unit: Math.LN2 };
  if (LOSS.test(text)) return { kind: 'loss', unit: 1 };
  if (DIFFERENCE.test(text)) return undefined;
  if (/perplexit|\bppl/i.test(text)) return { kind: 'perplexity', unit: 1 };
  return ACCURACY.test(text) ? { kind: 'accuracy', unit: 1 } : undefined;
}

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;

/** `1,000`, `10^3`, `1.2 x 10^3` → what `Number` reads. */
function plain(text: string): string {
  return text
    .trim()
    .replace(/(\d),(?=\d{3}\b)/g, '$1')
    .replace(/(?:([\d.]+)\s*[×x*·]\s*)?10\^\{?(\d+)\}?/g, (_, a: string | undefined, b: string) => {
      return `${a ?? '1'}e${b}`;
    });
}

/** `4`, `"4"`, `"4x"`, `"1e6"`, `"500k"`, `"10M"` (thousands and millions) → a number. */
export function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = new RegExp(`^(${NUMBER})\\s*([kKmMx×]?)$`).exec(plain(value));
  if (!match) return undefined;
  return Number(match[1]) * (/k/i.test(match[2]!) ? 1e3 : /m/i.test(match[2]!) ? 1e6 : 1);
}

/** `8192`, `"8,192"`, `"8k"`, `"32K tokens"`, `"1M"` (of 1024), `"4x"` (windows) → tokens. */
export function readTokens(value: unknown, window?: number): number | undefined {
  if (typeof value === 'number') return value > 0 && Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = new RegExp(`^(${NUMBER})\\s*(k|m|x|×)?i?b?\\s*(tokens?)?$`, 'i').exec(plain(value));
  if (!match) return undefined;
  const [, digits, suffix = ''] = match;
  const unit = { k: 1024, m: 1024 * 1024, x: window, '×': window, '': 1 }[suffix.toLowerCase()];
  const tokens = Number(digits) * (unit ?? NaN);
  return tokens > 0 ? tokens : undefined;
}

export interface Bounds {
  readonly low: number;
  readonly high: number;
}

function parse(text: string): Bounds | undefined {
  const match = new RegExp(
    `^[~≈]?\\s*([<>≤≥]?)=?\\s*(${NUMBER})\\s*(\\+|%|±.*|\\(.*\\))?$`,
    'i',
  ).exec(plain(text));
  if (!match) return undefined;
  const limit = Number(match[2]);
  if (/[>≥]/.test(match[1]!) || match[3] === '+') return { low: limit, high: Infinity };
  return { low: match[1] ? -Infinity : limit, high: limit };
}

/**
 * A published value and its mark of censoring. A bound that the mark states wins over the value
 * beside it: it is the weaker claim.
 *
 * @returns bounds in the metric's own unit, or why there are none
 */
export function readValue(value: unknown, censored: unknown, kind: MetricKind): Bounds | string {
  const stated = typeof censored === 'string' ? parse(censored) : undefined;
  if (stated && stated.low !== stated.high) return stated;
  if (
    typeof value === 'string' &&
    kind !== 'accuracy' &&
    /^\+?(inf(inity)?|∞)$/i.test(value.trim())
  )
    return { low: Infinity, high: Infinity };
  const read =
    typeof value === 'number' ? { low: value, high: value } : parse(String(value ?? censored));
  if (!read || Number.isNaN(read.low))
    return value === null || value === undefined
      ? 'no value'
      : `no value (${JSON.stringify(value)})`;
  const side = String(censored ?? 'none').trim();
  if (/^(none|false)$/i.test(side)) return read;
  if (/^([>≥]=?|lower|right|min|at least)/i.test(side) || (side === 'true' && kind !== 'accuracy'))
    return { low: read.low, high: Infinity };
  if (/^([<≤]=?|upper|left|max|at most)/i.test(side)) return { low: -Infinity, high: read.high };
  return `censored ("${side}"), but not on which side`;
}
