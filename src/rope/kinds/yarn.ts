import { finding, type Finding } from '../../findings/index.js';
import type { Fields } from '../../json/fields.js';
import { BOUNDS, fail } from '../../json/parse.js';
import {
  bandSentence,
  baseFrequencies,
  type Block,
  defineKind,
  type Ground,
  numberParam,
  optional,
  originalWindow,
  type OriginalWindow,
  type Read,
  readAttentionFactor,
  readFactor,
  type Reading,
  type RopeBase,
  type RopeBlock,
  type RopeTable,
  type ScalingContext,
  type ScalingInput,
  type ShorthandRequest,
  stretchedOriginal,
} from '../kind.js';

/** YaRN, and `by-parts`, which is YaRN with attention factor 1. Lengths in tokens. */
export interface YarnSpec extends RopeBase {
  readonly type: 'yarn';
  readonly factor: number;
  readonly originalMaxPositions: number;
  readonly betaFast: number;
  readonly betaSlow: number;
  readonly truncate: boolean;
  readonly mscale?: number;
  readonly mscaleAllDim?: number;
  readonly attentionFactor?: number;
}

/** The YaRN paper's bounds of the ramp, in turns (Peng et al. 2023, section 3.2). */
export const YARN_BETAS = Object.freeze({ fast: 32, slow: 1 });

/**
 * Returns YaRN's attention temperature on cos and sin: `0.1 * mscale * ln(scale) + 1`; 1 without
 * extension.
 *
 * @see Peng et al. 2023, arXiv:2309.00071, section 3.4, where it is the square of this, on the
 *   logits
 */
export function yarnMscale(scale: number, mscale = 1): number {
  return scale <= 1 ? 1 : 0.1 * mscale * Math.log(scale) + 1;
}

/**
 * Returns the attention scaling of a YaRN block. An explicit attention factor wins. `mscale` and
 * `mscale_all_dim` count only if both are given and not 0, as in transformers and DeepSeek.
 */
export function yarnAttentionScaling(
  spec: Pick<YarnSpec, 'factor' | 'mscale' | 'mscaleAllDim' | 'attentionFactor'>,
): number {
  if (spec.attentionFactor !== undefined) return spec.attentionFactor;
  if (spec.mscale && spec.mscaleAllDim) {
    return yarnMscale(spec.factor, spec.mscale) / yarnMscale(spec.factor, spec.mscaleAllDim);
  }
  return yarnMscale(spec.factor);
}

/** Returns the index (a real number) of the pair that makes `rotations` turns over the window. */
function dimensionOfRotations(
  rotations: number,
  dim: number,
  theta: number,
  window: number,
): number {
  return (dim * Math.log(window / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
}

/**
 * Returns the first and last pair of YaRN's ramp. Pairs before `low` keep their frequency; pairs
 * after `high` are divided by the whole factor. Both stay inside 0 … dim - 1, which is
 * transformers' bound although pairs end at dim / 2 - 1. The ramp is never empty: equal ends are
 * moved 0.001 apart.
 */
export function yarnRamp(spec: YarnSpec): { low: number; high: number } {
  const dim = spec.exponentDim ?? spec.rotaryDim;
  let low = dimensionOfRotations(spec.betaFast, dim, spec.theta, spec.originalMaxPositions);
  let high = dimensionOfRotations(spec.betaSlow, dim, spec.theta, spec.originalMaxPositions);
  if (spec.truncate) {
    low = Math.floor(low);
    high = Math.ceil(high);
  }
  low = Math.max(low, 0);
  high = Math.min(high, dim - 1);
  return { low, high: low === high ? high + 0.001 : high };
}

/**
 * Computes YaRN: interpolation by parts and an attention temperature. Fast pairs keep their
 * frequency, slow pairs are divided by `factor`, and a linear ramp joins the two. With attention
 * factor 1 it is "NTK-by-parts".
 *
 * @returns invFreq (rotaryDim / 2,) radians per token
 * @see Peng et al. 2023, arXiv:2309.00071, sections 3.2 and 3.4; transformers
 *   `_compute_yarn_parameters`
 */
export function computeYarn(spec: YarnSpec): RopeTable {
  const { low, high } = yarnRamp(spec);
  const base = baseFrequencies(spec.theta, spec.rotaryDim, spec.exponentDim);
  const invFreq = base.map((frequency, pair) => {
    const interpolated = Math.min(Math.max((pair - low) / (high - low), 0), 1);
    return (frequency / spec.factor) * interpolated + frequency * (1 - interpolated);
  });
  return { invFreq, attentionScaling: yarnAttentionScaling(spec) };
}

/** A beta of 0 counts as absent, as in transformers (`get(...) or 32`). */
const BETA = Object.freeze({ min: 0, max: BOUNDS.positions });

/** Reads a YaRN block; matches transformers `_compute_yarn_parameters` and its validation. */
function readYarn({ block, context, base }: ScalingInput): Reading<YarnSpec> {
  const { fields } = block;
  if (base.theta === 1) {
    fail('invalid_value', 'rope_theta', 'YaRN divides by ln(theta), which is 0 at 1');
  }
  const original = originalWindow(block, context);
  const factor = readYarnFactor(fields, original.value, context);
  const betaFast = fields.nullableNumber('beta_fast', BETA) || YARN_BETAS.fast;
  const betaSlow = fields.nullableNumber('beta_slow', BETA) || YARN_BETAS.slow;
  const order =
    betaFast < betaSlow
      ? [finding('beta_order', fields.at('beta_fast'), { fast: betaFast, slow: betaSlow })]
      : [];
  const mscale = fields.nullableNumber('mscale', { min: 0, max: BOUNDS.scale });
  const mscaleAllDim = fields.nullableNumber('mscale_all_dim', { min: 0, max: BOUNDS.scale });
  const attentionFactor = readAttentionFactor(fields);
  const truncate = readTruncate(block);
  return {
    rope: {
      type: 'yarn',
      ...base,
      factor: factor.value,
      originalMaxPositions: original.value.tokens,
      betaFast,
      betaSlow,
      truncate: truncate.value,
      ...(mscale !== undefined && { mscale }),
      ...(mscaleAllDim !== undefined && { mscaleAllDim }),
      ...(attentionFactor !== undefined && { attentionFactor }),
    },
    originalMaxPositions: original.value.given ? original.value.tokens : undefined,
    findings: [
      ...original.findings,
      ...factor.findings,
      ...order,
      ...loneMscale(fields, mscale, mscaleAllDim),
      ...truncate.findings,
    ],
  };
}

/** Reads the factor and reports what contradicts it. A null factor means max / original. */
function readYarnFactor(
  fields: Fields,
  original: OriginalWindow,
  { maxPositions: max }: ScalingContext,
): Read<number> {
  const ratio = max / original.tokens;
  const path = fields.at('factor');
  if (fields.has('factor') && !fields.given('factor') && original.given) {
    return { value: ratio, findings: [finding('implicit_factor', path, { factor: ratio })] };
  }
  const { value: factor, findings } = readFactor(fields);
  if (!original.given) return { value: factor, findings };
  if (original.tokens > max) {
    const args = { original: original.tokens, max };
    return {
      value: factor,
      findings: [...findings, finding('original_above_max', original.path, args)],
    };
  }
  if (ratio === 1 || Math.abs(ratio - factor) <= 1e-9 * ratio) return { value: factor, findings };
  const args = {
    factor,
    max,
    original: original.tokens,
    ratio: Number(ratio.toPrecision(6)),
  };
  return { value: factor, findings: [...findings, finding('factor_mismatch', path, args)] };
}

/** Reads `truncate`. transformers looks in the outer dictionary only, not in a nested block. */
function readTruncate({ fields, nested }: RopeBlock): Read<boolean> {
  if (!fields.has('truncate')) return { value: true, findings: [] };
  // transformers takes an explicit null as false, which means no truncation, and not as the
  // default.
  const value = fields.nullableBoolean('truncate') ?? false;
  if (nested && !value) {
    return { value: true, findings: [finding('truncate_ignored', fields.at('truncate'))] };
  }
  return { value, findings: [] };
}

function loneMscale(
  fields: Fields,
  mscale: number | undefined,
  mscaleAllDim: number | undefined,
): readonly Finding[] {
  if (Boolean(mscale) === Boolean(mscaleAllDim)) return [];
  const [given, missing] = mscale ? ['mscale', 'mscale_all_dim'] : ['mscale_all_dim', 'mscale'];
  return [finding('mscale_alone', fields.at(given), { given, missing })];
}

/** Writes the block without values that equal their defaults, since every key can be misread. */
function writeYarn(spec: YarnSpec): Block {
  return {
    rope_type: 'yarn',
    factor: spec.factor,
    original_max_position_embeddings: spec.originalMaxPositions,
    ...rampKeys(spec),
    ...optional('mscale', spec.mscale),
    ...optional('mscale_all_dim', spec.mscaleAllDim),
    ...optional('attention_factor', spec.attentionFactor),
  };
}

/** Returns the keys of a ramp that differ from YaRN's own. */
export function rampKeys({ betaFast, betaSlow, truncate }: YarnSpec): Block {
  return {
    ...(betaFast === YARN_BETAS.fast ? {} : { beta_fast: betaFast }),
    ...(betaSlow === YARN_BETAS.slow ? {} : { beta_slow: betaSlow }),
    ...(truncate ? {} : { truncate: false }),
  };
}

/**
 * Returns the multiplier that vLLM and SGLang call `attn_factor`; 1 means that it can be left out.
 * They multiply YaRN's own temperature by it, whereas transformers' `attention_factor` replaces
 * that temperature.
 */
export function attnFactorOf(spec: YarnSpec): number {
  return yarnAttentionScaling(spec) / yarnMscale(spec.factor);
}

/**
 * The turns over the window below which a pair is undertrained, as measured by LongRoPE2. The paper
 * found pair 25 of 48 in Phi-3-mini and pair 30 of 64 in Llama-3-8B, where theory (one turn) gives
 * pairs 31 and 35.
 *
 * @see Shang et al. 2025, arXiv:2502.20082
 */
const CRITICAL_TURNS = 2.7;

function makeCritical(request: ShorthandRequest, ground: Ground<YarnSpec>): YarnSpec {
  const made = makeYarn(request, ground);
  return { ...made, betaSlow: numberParam(request, 'beta_slow') ?? CRITICAL_TURNS };
}

function makeYarn(request: ShorthandRequest, { base, window, factor, same }: Ground<YarnSpec>) {
  const { params } = request;
  // `by-parts` is YaRN without its temperature, both on the tables and, in models where
  // mscale_all_dim puts one there (DeepSeek-V3), on the softmax.
  const tempered = request.method !== 'by-parts';
  const mscale = tempered ? (numberParam(request, 'mscale') ?? same?.mscale) : undefined;
  const mscaleAllDim = tempered
    ? (numberParam(request, 'mscale_all_dim') ?? same?.mscaleAllDim)
    : undefined;
  const attentionFactor = tempered ? numberParam(request, 'attention_factor') : 1;
  const { truncate } = params;
  return {
    type: 'yarn' as const,
    ...base,
    factor,
    originalMaxPositions: window,
    betaFast: numberParam(request, 'beta_fast') ?? same?.betaFast ?? YARN_BETAS.fast,
    betaSlow: numberParam(request, 'beta_slow') ?? same?.betaSlow ?? YARN_BETAS.slow,
    truncate: typeof truncate === 'boolean' ? truncate : (same?.truncate ?? true),
    ...(mscale !== undefined && { mscale }),
    ...(mscaleAllDim !== undefined && { mscaleAllDim }),
    ...(attentionFactor !== undefined && { attentionFactor }),
  };
}

const RAMP_PARAMS = Object.freeze({
  beta_fast: 'number',
  beta_slow: 'number',
  truncate: 'boolean',
} as const);
const TEMPERATURE_PARAMS = Object.freeze({
  attention_factor: 'number',
  mscale: 'number',
  mscale_all_dim: 'number',
} as const);

export const yarnRope = defineKind<YarnSpec, 'by-parts' | 'yarn' | 'yarn-critical'>({
  type: 'yarn',
  compute: computeYarn,
  lengthDependent: false,
  block: {
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
  write: writeYarn,
  // The limit is the stretched window even if the file has another value: transformers 4.51 to 4.55
  // derive the factor from it, and vLLM since 0.30 and SGLang serve no longer sequences.
  limitBeside: (_, { stretched, length }) => Math.max(Math.round(stretched), length),
  shorthands: {
    'by-parts': { params: RAMP_PARAMS, make: makeYarn },
    yarn: { params: { ...RAMP_PARAMS, ...TEMPERATURE_PARAMS }, make: makeYarn },
    // This ramp ends where pairs begin to be undertrained, and not at one turn.
    'yarn-critical': { params: { ...RAMP_PARAMS, ...TEMPERATURE_PARAMS }, make: makeCritical },
  },
  extension: ({ factor, originalMaxPositions }) => ({ factor, originalMaxPositions }),
  stretched: stretchedOriginal,
  costsLike: 'yarn',
  sentence: ({ factor, originalMaxPositions, betaFast, betaSlow }) =>
    bandSentence('YaRN', {
      factor,
      window: originalMaxPositions,
      kept: betaFast,
      divided: betaSlow,
      between: 'a ramp',
    }),
});
