import type { Geometry, MetricKind } from './types.js';

/** A metric, with the factor that converts a value to nats. */
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
 * Reads the name of a metric. A change of loss is read as a loss, because rows are compared with
 * each other and the missing part cancels.
 *
 * @returns undefined for an unknown metric, or one whose differences cannot be compared
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

/** Converts `1,000`, `10^3` and `1.2 x 10^3` to what `Number` reads. */
function plain(text: string): string {
  return text
    .trim()
    .replace(/(\d),(?=\d{3}\b)/g, '$1')
    .replace(/(?:([\d.]+)\s*[×x*·]\s*)?10\^\{?(\d+)\}?/g, (_, a: string | undefined, b: string) => {
      return `${a ?? '1'}e${b}`;
    });
}

/** Reads `4`, `"4"`, `"4x"`, `"1e6"`, `"500k"`, `"10M"` (thousands and millions) as a number. */
export function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = new RegExp(`^(${NUMBER})\\s*([kKmMx×]?)$`).exec(plain(value));
  if (!match) return undefined;
  return Number(match[1]) * (/k/i.test(match[2]!) ? 1e3 : /m/i.test(match[2]!) ? 1e6 : 1);
}

/**
 * Reads `8192`, `"8,192"`, `"8k"`, `"32K tokens"`, `"1M"` (of 1024), `"4x"` (windows) as tokens.
 */
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
 * Reads a published value and its mark of censoring. A bound in the mark wins over the value beside
 * it, because it is the weaker claim.
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
  // A number beyond what a double holds, such as 1e999, is read as infinite.
  if (!Number.isFinite(read.low) && read.low === read.high && (read.low < 0 || kind === 'accuracy'))
    return `no value (${String(value)})`;
  const side = String(censored ?? 'none').trim();
  if (/^(none|false)$/i.test(side)) return read;
  if (/^([>≥]=?|lower|right|min|at least)/i.test(side) || (side === 'true' && kind !== 'accuracy'))
    return { low: read.low, high: Infinity };
  if (/^([<≤]=?|upper|left|max|at most)/i.test(side)) return { low: -Infinity, high: read.high };
  return `censored ("${side}"), but not on which side`;
}

/** Reads the first of these keys that has a value. */
function first(
  model: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  read: (value: unknown) => number | undefined = readNumber,
): number | undefined {
  const key = keys.find((k) => Object.hasOwn(model, k) && model[k] !== null);
  return key === undefined ? undefined : read(model[key]);
}

/** Whether a config's block says anything except "default". */
function scaled(block: unknown): boolean {
  if (typeof block !== 'object' || block === null) return false;
  const { rope_type: type, type: older } = block as Readonly<Record<string, unknown>>;
  return Object.keys(block).length > 0 && (type ?? older) !== 'default';
}

/**
 * Reads a model's rotary geometry, from our keys or those of its config.json.
 *
 * @returns why there is none, if something is missing or invalid
 */
export function readGeometry(model: Readonly<Record<string, unknown>> = {}): Geometry | string {
  if (scaled(model['rope_scaling']))
    return 'the weights were trained with a scaling (model.rope_scaling), which is not modelled here';
  const theta = first(model, ['rope_theta', 'theta', 'rotary_emb_base', 'base']);
  const window = first(
    model,
    ['trained_context', 'trained_window', 'max_position_embeddings'],
    readTokens,
  );
  const hidden = first(model, ['hidden_size']);
  const heads = first(model, ['num_attention_heads']);
  const headDim = first(model, ['head_dim']) ?? (hidden && heads ? hidden / heads : undefined);
  const share = first(model, ['partial_rotary_factor', 'rotary_pct']) ?? 1;
  const whole = headDim === undefined ? undefined : Math.trunc(headDim * share);
  const rotaryDim = first(model, ['rotary_dim']) ?? whole;
  if (theta === undefined || window === undefined || rotaryDim === undefined)
    return "the model's geometry is not given (head_dim, rope_theta, trained_context)";
  if (!(theta > 1)) return `rope_theta must be above 1, found ${theta}`;
  if (!(window >= 16)) return `trained_context must be at least 16 tokens, found ${window}`;
  if (!(rotaryDim >= 4) || rotaryDim % 2 !== 0 || rotaryDim > 4096)
    return `rotated dimensions must be even and between 4 and 4096, found ${rotaryDim}`;
  return { rotaryDim, rotaryShare: headDim ? rotaryDim / headDim : 1, theta, window };
}
