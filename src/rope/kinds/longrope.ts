import { checkNumber, type Fields } from '../../json/fields.js';
import { BOUNDS, fail } from '../../json/parse.js';
import { tokens } from '../../text.js';
import {
  baseFrequencies,
  defineKind,
  FACTOR_RULE,
  optional,
  originalWindow,
  readAttentionFactor,
  readFactor,
  type Reading,
  type RopeBase,
  type RopeBlock,
  type RopeTable,
  type ScalingInput,
  stretchedOriginal,
} from '../kind.js';

/** LongRoPE: one list of divisors for short sequences and one for long ones. */
export interface LongropeSpec extends RopeBase {
  readonly type: 'longrope';
  /** One divisor per pair, length rotaryDim / 2; used up to originalMaxPositions tokens. */
  readonly shortFactor: readonly number[];
  /** The divisors above originalMaxPositions tokens; same length. */
  readonly longFactor: readonly number[];
  /** Tokens. */
  readonly originalMaxPositions: number;
  /** The extension, used only for the attention scaling. */
  readonly factor: number;
  readonly attentionFactor?: number;
  /** PhiMoE writes the attention scaling of each range itself. */
  readonly shortMscale?: number;
  readonly longMscale?: number;
  /** PhiMoE's class never passes a length to the table, so the short list is always used. */
  readonly shortAtEveryLength?: boolean;
}

/**
 * Returns LongRoPE's attention scaling: `sqrt(1 + ln(factor) / ln(original window))`; 1 without
 * extension.
 *
 * @see Ding et al. 2024, arXiv:2402.13753; transformers `_compute_longrope_parameters`
 */
export function longropeAttentionScaling(factor: number, originalMaxPositions: number): number {
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositions));
}

/**
 * Computes LongRoPE. Each pair has a searched divisor, from one list up to the original window and
 * from another above it, so the whole table switches when a sequence crosses that length.
 *
 * @param sequenceLength tokens; undefined = at construction, with the short list
 * @returns invFreq (rotaryDim / 2,) radians per token
 * @see Ding et al. 2024, arXiv:2402.13753; transformers `_compute_longrope_parameters`, and for the
 *   two mscales `PhimoeRotaryEmbedding`
 */
export function computeLongrope(spec: LongropeSpec, sequenceLength: number | undefined): RopeTable {
  const long = sequenceLength !== undefined && sequenceLength > spec.originalMaxPositions;
  const divisors = long && !spec.shortAtEveryLength ? spec.longFactor : spec.shortFactor;
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  const ofRange = long ? spec.longMscale : spec.shortMscale;
  return {
    invFreq: base.map((frequency, pair) => frequency / (divisors[pair] ?? 1)),
    attentionScaling:
      ofRange ??
      spec.attentionFactor ??
      longropeAttentionScaling(spec.factor, spec.originalMaxPositions),
  };
}

/** Reads a longrope block; matches transformers `_compute_longrope_parameters`. */
function readLongrope({ block, context, base }: ScalingInput): Reading<LongropeSpec> {
  const { fields } = block;
  const pairs = base.rotaryDim / 2;
  const shortFactor = divisors(fields, 'short_factor', pairs);
  const longFactor = divisors(fields, 'long_factor', pairs);
  const { value: original, findings } = originalWindow(block, context);
  const factor = fields.given('factor')
    ? readFactor(fields)
    : { value: context.maxPositions / original.tokens, findings: [] };
  const attentionFactor = readAttentionFactor(fields);
  if (attentionFactor === undefined && factor.value > 1 && original.tokens === 1) {
    fail(
      'invalid_value',
      original.path,
      'the attention scaling divides by ln(original window), which is 0 at 1',
    );
  }
  const shortMscale = mscale(block, 'short_mscale');
  const longMscale = mscale(block, 'long_mscale');
  return {
    rope: {
      type: 'longrope',
      ...base,
      shortFactor,
      longFactor,
      originalMaxPositions: original.tokens,
      factor: factor.value,
      ...(attentionFactor !== undefined && { attentionFactor }),
      ...(shortMscale !== undefined && { shortMscale }),
      ...(longMscale !== undefined && { longMscale }),
      ...(block.shortAtEveryLength === true && { shortAtEveryLength: true }),
    },
    originalMaxPositions: original.given ? original.tokens : undefined,
    findings: [...findings, ...factor.findings],
  };
}

/** Reads one divisor above 0 per pair. */
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
  return list.map((value, index) => checkNumber(value, `${fields.at(key)}[${index}]`, FACTOR_RULE));
}

/** Reads an mscale if the dialect lists its key in `extraKeys`, as only PhiMoE's does. */
function mscale({ fields, extraKeys }: RopeBlock, key: string): number | undefined {
  if (extraKeys?.includes(key) !== true) return undefined;
  return fields.nullableNumber(key, { above: 0, max: BOUNDS.scale });
}

export const longropeRope = defineKind<LongropeSpec>({
  type: 'longrope',
  compute: computeLongrope,
  lengthDependent: true,
  switchLength: ({ originalMaxPositions }) => originalMaxPositions,
  block: {
    keys: [
      'short_factor',
      'long_factor',
      'factor',
      'original_max_position_embeddings',
      'attention_factor',
    ],
    read: readLongrope,
  },
  write: (spec) => ({
    rope_type: 'longrope',
    short_factor: spec.shortFactor,
    long_factor: spec.longFactor,
    factor: spec.factor,
    original_max_position_embeddings: spec.originalMaxPositions,
    ...optional('attention_factor', spec.attentionFactor),
    ...optional('short_mscale', spec.shortMscale),
    ...optional('long_mscale', spec.longMscale),
  }),
  // `longrope:FILE` takes its lists from a file, which is read as a block.
  shorthands: {},
  extension: ({ factor, originalMaxPositions }) => ({ factor, originalMaxPositions }),
  stretched: stretchedOriginal,
  costsLike: 'by-parts',
  sentence: ({ originalMaxPositions }) =>
    `LongRoPE: a searched divisor for each pair, from one list up to ` +
    `${tokens(originalMaxPositions)} tokens and from another above.`,
});
