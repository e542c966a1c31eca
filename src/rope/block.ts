import { finding } from '../findings/index.js';
import type { Finding } from '../findings/types.js';
import { BOUNDS } from '../json/bounds.js';
import { fail, show } from '../json/fail.js';
import { checkNumber, type Fields } from '../json/fields.js';
import { didYouMean, suggest } from '../suggest.js';
import type { RopeSpec } from './spec.js';

/** Rotated dimensions of a head; `exponentDim` where they were rounded up to even. */
export interface RotaryDimensions {
  readonly rotaryDim: number;
  readonly exponentDim?: number;
}

/**
 * int(head_dim * partial_rotary_factor). The unscaled path of many classes ignores the factor;
 * proportional RoPE keeps the whole head and applies the share itself.
 *
 * @throws RopeEvalError `out_of_range` for a factor outside (0, 1] or one that leaves no pair,
 *   `odd_rotary_dim` for a fully rotated odd head
 */
export function rotaryDimensions(block: RopeBlock, context: ScalingContext): RotaryDimensions {
  const { headDim } = context;
  const partial = block.partial ?? 1;
  const path = 'partial_rotary_factor';
  if (!(partial > 0 && partial <= 1)) {
    fail('out_of_range', path, `must be above 0 and at most 1, found ${partial}`);
  }
  const ignored = block.type === 'default' && !context.usesPartial;
  if (ignored && partial !== 1) {
    context.findings.push(finding('partial_ignored', path, { partial, model: context.modelType }));
  }
  const whole = ignored || block.type === 'proportional';
  const dim = whole ? headDim : Math.trunc(headDim * partial);
  if (dim < 1 || dim > BOUNDS.headDim) {
    fail('out_of_range', path, `${partial} of a head of ${headDim} dimensions leaves ${dim}`);
  }
  if (dim % 2 === 0) return { rotaryDim: dim };
  if (dim === headDim) {
    fail(
      'odd_rotary_dim',
      'head_dim',
      `a head of ${headDim} dimensions cannot be rotated in pairs`,
      'the rotated dimensions must be even: head_dim, or hidden_size / num_attention_heads',
    );
  }
  return { rotaryDim: dim + 1, exponentDim: dim };
}

/**
 * The required `factor` of a block.
 *
 * @throws RopeEvalError `missing_field`, `invalid_value` (null, 0, below 0), `wrong_type`,
 *   `out_of_range`; below 1 is a finding
 */
export function readFactor(fields: Fields, context: ScalingContext): number {
  const path = fields.at('factor');
  if (fields.raw('factor') === null) {
    fail('invalid_value', path, 'must be a number of at least 1, found null');
  }
  const factor = fields.number('factor', { above: 0, max: BOUNDS.factor });
  if (factor === undefined) {
    fail('missing_field', path, 'is required', 'target length / original window, e.g. 4.0');
  }
  if (factor < 1) context.findings.push(finding('factor_below_one', path, { factor }));
  return factor;
}

export interface OriginalWindow {
  readonly value: number;
  /** false: max_position_embeddings was taken for it. */
  readonly given: boolean;
  readonly path: string;
}

const KEY = 'original_max_position_embeddings';

/**
 * The window before the extension: outside the block, else inside, else max_position_embeddings
 * with a finding. Two different values are a finding too.
 */
export function originalWindow(block: RopeBlock, context: ScalingContext): OriginalWindow {
  const { fields, outerOriginal } = block;
  const inner = fields.nullableInteger(KEY, { above: 0, max: BOUNDS.positions });
  if (outerOriginal !== undefined) {
    if (inner !== undefined && inner !== outerOriginal) {
      context.findings.push(
        finding('conflict', fields.at(KEY), {
          used: outerOriginal,
          usedPath: KEY,
          ignored: inner,
        }),
      );
    }
    return { value: outerOriginal, given: true, path: KEY };
  }
  if (inner !== undefined) return { value: inner, given: true, path: fields.at(KEY) };
  context.findings.push(
    finding('original_missing', fields.at(KEY), { max: context.maxPositions, type: block.type }),
  );
  return { value: context.maxPositions, given: false, path: fields.at(KEY) };
}

/** An explicit multiplier on cos and sin, if given. */
export function readAttentionFactor(fields: Fields): number | undefined {
  return fields.nullableNumber('attention_factor', { above: 0, max: BOUNDS.scale });
}

/** Reads a longrope block; matches transformers `_compute_longrope_parameters`. */
export function readLongrope({ block, context, base }: ScalingInput): ScalingResult {
  const { fields } = block;
  const pairs = base.rotaryDim / 2;
  const shortFactor = divisors(fields, 'short_factor', pairs);
  const longFactor = divisors(fields, 'long_factor', pairs);
  const original = originalWindow(block, context);
  const factor = fields.given('factor')
    ? readFactor(fields, context)
    : context.maxPositions / original.value;
  const attentionFactor = readAttentionFactor(fields);
  if (attentionFactor === undefined && factor > 1 && original.value === 1) {
    fail(
      'invalid_value',
      original.path,
      'the attention scaling divides by ln(original window), which is 0 at 1',
    );
  }
  const shortMscale = mscale(fields, 'short_mscale');
  const longMscale = mscale(fields, 'long_mscale');
  return {
    rope: {
      type: 'longrope',
      ...base,
      shortFactor,
      longFactor,
      originalMaxPositions: original.value,
      factor,
      ...(attentionFactor !== undefined && { attentionFactor }),
      ...(shortMscale !== undefined && { shortMscale }),
      ...(longMscale !== undefined && { longMscale }),
    },
    originalMaxPositions: original.given ? original.value : undefined,
  };
}

/** One divisor above 0 per pair. */
function divisors(fields: Fields, key: string, pairs: number): readonly number[] {
  const list = fields.nullableList(key);
  if (list === undefined) {
    fail('missing_field', fields.at(key), `is required for longrope: ${pairs} numbers`);
  }
  if (list.length !== pairs) {
    fail(
      'wrong_length',
      fields.at(key),
      `has ${list.length} numbers, ${pairs} are needed: one per pair of rotated dimensions`,
    );
  }
  return list.map((value, index) =>
    checkNumber(value, `${fields.at(key)}[${index}]`, { above: 0, max: BOUNDS.factor }),
  );
}

function mscale(fields: Fields, key: string): number | undefined {
  return fields.nullableNumber(key, { above: 0, max: BOUNDS.scale });
}

/** Betas of 0 count as absent, as in transformers (`get(...) or 32`). */
const BETA = Object.freeze({ min: 0, max: BOUNDS.positions });
const DEFAULT_BETA_FAST = 32;
const DEFAULT_BETA_SLOW = 1;

/** Reads a YaRN block; matches transformers `_compute_yarn_parameters` and its validation. */
export function readYarn({ block, context, base }: ScalingInput): ScalingResult {
  const { fields } = block;
  if (base.theta === 1) {
    fail('invalid_value', 'rope_theta', 'YaRN divides by ln(theta), which is 0 at 1');
  }
  const original = originalWindow(block, context);
  const factor = yarnFactor(fields, original, context);
  const betaFast = fields.nullableNumber('beta_fast', BETA) || DEFAULT_BETA_FAST;
  const betaSlow = fields.nullableNumber('beta_slow', BETA) || DEFAULT_BETA_SLOW;
  if (betaFast < betaSlow) {
    context.findings.push(
      finding('beta_order', fields.at('beta_fast'), { fast: betaFast, slow: betaSlow }),
    );
  }
  const mscale = fields.nullableNumber('mscale', { min: 0, max: BOUNDS.scale });
  const mscaleAllDim = fields.nullableNumber('mscale_all_dim', { min: 0, max: BOUNDS.scale });
  const attentionFactor = readAttentionFactor(fields);
  reportLoneMscale(fields, mscale, mscaleAllDim, context);
  return {
    rope: {
      type: 'yarn',
      ...base,
      factor,
      originalMaxPositions: original.value,
      betaFast,
      betaSlow,
      truncate: readTruncate(fields, block.nested, context),
      ...(mscale !== undefined && { mscale }),
      ...(mscaleAllDim !== undefined && { mscaleAllDim }),
      ...(attentionFactor !== undefined && { attentionFactor }),
    },
    originalMaxPositions: original.given ? original.value : undefined,
  };
}

/** The factor, and what contradicts it. A null factor is max / original. */
function yarnFactor(fields: Fields, original: OriginalWindow, context: ScalingContext): number {
  const max = context.maxPositions;
  const ratio = max / original.value;
  const path = fields.at('factor');
  if (fields.has('factor') && !fields.given('factor') && original.given) {
    context.findings.push(finding('implicit_factor', path, { factor: ratio }));
    return ratio;
  }
  const factor = readFactor(fields, context);
  if (!original.given) return factor;
  if (original.value > max) {
    context.findings.push(
      finding('original_above_max', original.path, { original: original.value, max }),
    );
  } else if (ratio !== 1 && Math.abs(ratio - factor) > 1e-9 * ratio) {
    context.findings.push(
      finding('factor_mismatch', path, {
        factor,
        max,
        original: original.value,
        ratio: Number(ratio.toPrecision(6)),
      }),
    );
  }
  return factor;
}

/** transformers looks for `truncate` in the outer dictionary, so a nested one is never seen. */
function readTruncate(fields: Fields, nested: boolean, context: ScalingContext): boolean {
  if (!fields.has('truncate')) return true;
  // An explicit null is falsy there, hence "no truncation", and not the default.
  const value = fields.nullableBoolean('truncate') ?? false;
  if (nested && !value) {
    context.findings.push(finding('truncate_ignored', fields.at('truncate')));
    return true;
  }
  return value;
}

function reportLoneMscale(
  fields: Fields,
  mscale: number | undefined,
  mscaleAllDim: number | undefined,
  context: ScalingContext,
): void {
  if (Boolean(mscale) === Boolean(mscaleAllDim)) return;
  const [given, missing] = mscale ? ['mscale', 'mscale_all_dim'] : ['mscale_all_dim', 'mscale'];
  context.findings.push(finding('mscale_alone', fields.at(given), { given, missing }));
}

export interface ScalingInput {
  readonly block: RopeBlock;
  readonly context: ScalingContext;
  readonly base: {
    readonly theta: number;
    readonly rotaryDim: number;
    readonly exponentDim?: number;
  };
}

export interface ScalingResult {
  readonly rope: RopeSpec;
  readonly originalMaxPositions: number | undefined;
}

export interface ScalingReader {
  /** Keys that this type reads, besides those common to all blocks. */
  readonly keys: readonly string[];
  readonly read: (input: ScalingInput) => ScalingResult;
}

/** Readers by rope type, as transformers names them. A Map: the type is untrusted. */
export const SCALING_READERS: ReadonlyMap<string, ScalingReader> = new Map<string, ScalingReader>([
  ['default', { keys: [], read: readDefault }],
  ['linear', { keys: ['factor'], read: readLinear }],
  ['dynamic', { keys: ['factor'], read: readDynamic }],
  [
    'yarn',
    {
      keys: [
        'factor',
        'original_max_position_embeddings',
        'attention_factor',
        'beta_fast',
        'beta_slow',
        'mscale',
        'mscale_all_dim',
        'truncate',
      ],
      read: readYarn,
    },
  ],
  [
    'llama3',
    {
      keys: ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
      read: readLlama3,
    },
  ],
  [
    'longrope',
    {
      keys: [
        'short_factor',
        'long_factor',
        'factor',
        'original_max_position_embeddings',
        'attention_factor',
        'short_mscale',
        'long_mscale',
      ],
      read: readLongrope,
    },
  ],
  ['proportional', { keys: ['factor'], read: readProportional }],
]);

function readDefault({ base }: ScalingInput): ScalingResult {
  return { rope: { type: 'default', ...base }, originalMaxPositions: undefined };
}

function readLinear({ block, context, base }: ScalingInput): ScalingResult {
  const factor = readFactor(block.fields, context);
  return { rope: { type: 'linear', ...base, factor }, originalMaxPositions: undefined };
}

/**
 * Dynamic NTK. Hunyuan writes static NTK as `dynamic` with `alpha`; its dialect lists that key in
 * `extraKeys`, elsewhere it is unknown.
 */
function readDynamic({ block, context, base }: ScalingInput): ScalingResult {
  const { fields } = block;
  const factor = readFactor(fields, context);
  if (base.rotaryDim <= 2) {
    fail('invalid_value', fields.at('rope_type'), 'dynamic scaling needs more than one pair');
  }
  if (block.extraKeys?.includes('alpha') === true && fields.raw('alpha')) {
    const alpha = fields.number('alpha', { above: 0, max: BOUNDS.factor });
    if (alpha !== undefined) {
      return { rope: { type: 'ntk', ...base, alpha }, originalMaxPositions: undefined };
    }
  }
  if (!context.maxPositionsGiven) {
    fail(
      'missing_field',
      'max_position_embeddings',
      'is missing, and dynamic scaling starts where a sequence exceeds it',
    );
  }
  const { maxPositions } = context;
  return {
    rope: { type: 'dynamic', ...base, factor, maxPositions },
    originalMaxPositions: undefined,
  };
}

function readLlama3({ block, context, base }: ScalingInput): ScalingResult {
  const { fields } = block;
  const factor = readFactor(fields, context);
  const low = requiredTurns(block, 'low_freq_factor');
  const high = requiredTurns(block, 'high_freq_factor');
  if (high < low) {
    fail(
      'invalid_value',
      fields.at('high_freq_factor'),
      `${show(high)} is below low_freq_factor ${show(low)}`,
      'fast pairs are kept above high_freq_factor turns, slow ones are slowed below low_freq_factor',
    );
  }
  if (high === low) {
    context.findings.push(
      finding('zero_width_band', fields.at('high_freq_factor'), { value: high }),
    );
  }
  const original = originalWindow(block, context);
  if (original.given && original.value >= context.maxPositions) {
    context.findings.push(
      finding('original_not_below_max', original.path, {
        original: original.value,
        max: context.maxPositions,
      }),
    );
  }
  return {
    rope: {
      type: 'llama3',
      ...base,
      factor,
      lowFreqFactor: low,
      highFreqFactor: high,
      originalMaxPositions: original.value,
    },
    originalMaxPositions: original.given ? original.value : undefined,
  };
}

function requiredTurns(block: RopeBlock, key: string): number {
  const value = block.fields.number(key, { above: 0, max: BOUNDS.positions });
  if (value === undefined) {
    fail('missing_field', block.fields.at(key), 'is required for llama3 scaling');
  }
  return value;
}

function readProportional({ block, context, base }: ScalingInput): ScalingResult {
  const factor = block.fields.given('factor') ? readFactor(block.fields, context) : 1;
  return {
    rope: { type: 'proportional', ...base, partialRotaryFactor: block.partial ?? 1, factor },
    originalMaxPositions: undefined,
  };
}

/** A rope block together with what lies around it. */
export interface RopeBlock {
  /** The block itself; empty for a config without one. */
  readonly fields: Fields;
  /** Type after aliases, e.g. `yarn`; may be unknown. */
  readonly type: string;
  readonly theta: number;
  /** partial_rotary_factor that applies, if any is given. */
  readonly partial: number | undefined;
  /** `original_max_position_embeddings` outside the block, which beats the one inside. */
  readonly outerOriginal: number | undefined;
  /** Whether the block belongs to one layer type. */
  readonly nested: boolean;
  /** Keys that this model family adds to the block and reads elsewhere. */
  readonly extraKeys?: readonly string[];
}

export interface ScalingContext {
  readonly modelType: string;
  readonly headDim: number;
  readonly usesPartial: boolean;
  readonly maxPositions: number;
  /** false: a class default; dynamic must not be built on it. */
  readonly maxPositionsGiven: boolean;
  readonly findings: Finding[];
}

/** A configured table, its unscaled twin, and the original window where one is written. */
export interface ReadRope {
  readonly rope: RopeSpec;
  readonly unscaled: RopeSpec;
  readonly originalMaxPositions: number | undefined;
}

/** Keys that may stand in every block. */
const COMMON_KEYS = [
  'rope_type',
  'type',
  'rope_theta',
  'partial_rotary_factor',
  // Multimodal models split the pairs among time, height and width; the frequencies stay.
  'mrope_section',
  'mrope_interleaved',
  'interleaved',
  // Read by the attention of Ministral 3, not by its RoPE.
  'llama_4_scaling_beta',
  'max_position_embeddings',
] as const;

/**
 * Reads one block into a spec.
 *
 * @throws RopeEvalError for values that have no meaning; what transformers would compute in
 *   silence becomes a finding
 */
export function readScaling(block: RopeBlock, context: ScalingContext): ReadRope {
  const reader = SCALING_READERS.get(block.type);
  if (reader === undefined) {
    fail(
      'unknown_rope_type',
      block.fields.at(block.fields.has('rope_type') ? 'rope_type' : 'type'),
      `${show(block.type)} is not a rope type${didYouMean(block.type, SCALING_READERS.keys())}`,
      `known types: ${[...SCALING_READERS.keys()].join(', ')}`,
    );
  }
  const dims = rotaryDimensions(block, context);
  const input: ScalingInput = {
    block,
    context,
    base: { theta: block.theta, ...dims },
  };
  const { rope, originalMaxPositions } = reader.read(input);
  reportUnreadKeys(block, reader.keys, context);
  const unscaled: RopeSpec =
    rope.type === 'proportional'
      ? { ...rope, factor: 1 }
      : { type: 'default', theta: block.theta, ...dims };
  return { rope, unscaled, originalMaxPositions };
}

/** Keys of the block that nothing reads: a scaling without a type, or unknown keys. */
function reportUnreadKeys(
  block: RopeBlock,
  typeKeys: readonly string[],
  context: ScalingContext,
): void {
  const { fields, type } = block;
  const known: readonly string[] = [...COMMON_KEYS, ...typeKeys, ...(block.extraKeys ?? [])];
  const unread = Object.keys(fields.record).filter((key) => !known.includes(key));
  if (unread.length === 0) return;
  const untyped = type === 'default' && !fields.given('rope_type') && !fields.given('type');
  const scalingKeys = [...SCALING_READERS.values()].flatMap((reader) => reader.keys);
  if (untyped && unread.some((key) => scalingKeys.includes(key))) {
    context.findings.push(
      finding('missing_rope_type', fields.path, { keys: unread.join(', '), type }),
    );
    return;
  }
  for (const key of unread.slice(0, MAX_REPORTED_KEYS)) {
    if (key === 'original_max_position_embeddings') {
      context.findings.push(reportOriginalUnused(fields, type, context));
      continue;
    }
    const meant = suggest(
      key,
      known.filter((name) => name !== 'type' && !fields.has(name)),
    );
    context.findings.push(
      finding('unknown_key', fields.at(key), { type, ...(meant && { suggestion: meant }) }),
    );
  }
}

/** More findings of one kind tell nobody anything new. */
const MAX_REPORTED_KEYS = 20;

function reportOriginalUnused(fields: Fields, type: string, context: ScalingContext): Finding {
  const path = fields.at('original_max_position_embeddings');
  const original = fields.raw('original_max_position_embeddings');
  if (type === 'dynamic' && typeof original === 'number' && original > 0) {
    const ratio = context.maxPositions / original;
    if (ratio > 1) {
      const max = context.maxPositions;
      return finding('double_scaling', path, { type, original, max, ratio: round(ratio) });
    }
  }
  return finding('original_unused', path, { type });
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

/** The rule for a theta anywhere in a config. */
export const THETA_RULE = Object.freeze({ above: 0, max: BOUNDS.theta });
