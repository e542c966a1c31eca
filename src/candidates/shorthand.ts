import { effectiveTheta } from '../rope/kinds/ntk.js';
import type { RopeSpec, RopeSpecOf } from '../rope/spec.js';
import { type CandidateDefinition, type FactorMethod, failCandidate } from './definition.js';

type Shorthand = Extract<CandidateDefinition, { readonly method: FactorMethod }>;

/** What a shorthand starts from: the base, and how far the weights' own scaling stretches it. */
interface Base {
  readonly theta: number;
  readonly rotaryDim: number;
  readonly exponentDim?: number;
  /** Tokens that the base covers without any scaling. */
  readonly window: number;
  /** Extension that the weights were trained with; 1 = none. */
  readonly extension: number;
}

/**
 * The spec of a shorthand on one layer group.
 *
 * A factor multiplies the trained window. On unscaled weights that is the plain block: factor F,
 * original window = trained window. Where the weights were trained with a scaling, a config can
 * hold one block only, so the new block has to carry both: with a trained-in extension f of the
 * window W / f, `yarn:2` on Llama 3.1 (llama3, 8 x 8192 of base theta) is YaRN with factor 8 x 2
 * and original window 8192. Slow pairs then end exactly F times slower than in the weights. The
 * same type continues (llama3:2 there is llama3 16 x, with the trained-in parameters); another type
 * drops the trained-in shape of the bands, which the caller reports. A trained-in `ntk` is a theta,
 * and every shorthand keeps it.
 *
 * @param trained the spec that the weights were trained with
 * @param trainedWindow tokens
 */
export function shorthandSpec(
  definition: Shorthand,
  trained: RopeSpec,
  trainedWindow: number,
): RopeSpec {
  if (trained.type === 'proportional') return proportionalSpec(definition, trained);
  const base = baseOf(trained, trainedWindow);
  const { theta, rotaryDim, exponentDim, window } = base;
  const dims = { theta, rotaryDim, ...(exponentDim !== undefined && { exponentDim }) };
  const factor = base.extension * definition.factor;
  switch (definition.method) {
    case 'linear':
      return { type: 'linear', ...dims, factor };
    case 'ntk':
      requirePairs(definition, rotaryDim);
      return { type: 'ntk', ...dims, alpha: factor };
    case 'dynamic':
      requirePairs(definition, rotaryDim);
      // HF's own formula, alpha = F n / W - (F - 1), from the window of the base on.
      return { type: 'dynamic', ...dims, factor: definition.factor, maxPositions: window };
    case 'yarn':
    case 'by-parts':
      return yarnSpec(definition, trained, { ...base, ...dims }, factor);
    case 'llama3':
      return llama3Spec(definition, trained, { ...base, ...dims }, factor);
  }
}

/** The unscaled base under a trained-in scaling, and that scaling's extension. */
function baseOf(trained: RopeSpec, trainedWindow: number): Base {
  const { theta, rotaryDim, exponentDim } = trained;
  const dims = { theta, rotaryDim, ...(exponentDim !== undefined && { exponentDim }) };
  switch (trained.type) {
    case 'yarn':
    case 'llama3':
    case 'longrope':
      return { ...dims, window: trained.originalMaxPositions, extension: trained.factor };
    case 'linear':
      return { ...dims, window: trainedWindow / trained.factor, extension: trained.factor };
    case 'ntk':
      // Nothing but a larger theta, and the weights know its angles: no window was stretched.
      return { ...dims, theta: effectiveTheta(trained), window: trainedWindow, extension: 1 };
    default:
      return { ...dims, window: trainedWindow, extension: 1 };
  }
}

function yarnSpec(
  definition: Shorthand,
  trained: RopeSpec,
  base: Base,
  factor: number,
): RopeSpecOf<'yarn'> {
  const { params } = definition;
  const old: Partial<RopeSpecOf<'yarn'>> = trained.type === 'yarn' ? trained : {};
  const number = (key: string): number | undefined =>
    typeof params[key] === 'number' ? params[key] : undefined;
  // by-parts is YaRN without its temperature: neither on the tables nor, where a model has
  // mscale_all_dim do so (DeepSeek-V3), on the softmax.
  const tempered = definition.method !== 'by-parts';
  const mscale = tempered ? (number('mscale') ?? old.mscale) : undefined;
  const mscaleAllDim = tempered ? (number('mscale_all_dim') ?? old.mscaleAllDim) : undefined;
  const attentionFactor = tempered ? number('attention_factor') : 1;
  return {
    type: 'yarn',
    theta: base.theta,
    rotaryDim: base.rotaryDim,
    ...(base.exponentDim !== undefined && { exponentDim: base.exponentDim }),
    factor,
    originalMaxPositions: base.window,
    betaFast: number('beta_fast') ?? old.betaFast ?? 32,
    betaSlow: number('beta_slow') ?? old.betaSlow ?? 1,
    truncate: typeof params['truncate'] === 'boolean' ? params['truncate'] : (old.truncate ?? true),
    ...(mscale !== undefined && { mscale }),
    ...(mscaleAllDim !== undefined && { mscaleAllDim }),
    ...(attentionFactor !== undefined && { attentionFactor }),
  };
}

/** Llama 3.1's own band: 1 and 4 turns over the original window. */
function llama3Spec(
  definition: Shorthand,
  trained: RopeSpec,
  base: Base,
  factor: number,
): RopeSpecOf<'llama3'> {
  const { params } = definition;
  const old: Partial<RopeSpecOf<'llama3'>> = trained.type === 'llama3' ? trained : {};
  const low = params['low_freq_factor'];
  const high = params['high_freq_factor'];
  const lowFreqFactor = typeof low === 'number' ? low : (old.lowFreqFactor ?? 1);
  const highFreqFactor = typeof high === 'number' ? high : (old.highFreqFactor ?? 4);
  if (highFreqFactor < lowFreqFactor) {
    failCandidate(
      'invalid_value',
      definition.label,
      `high_freq_factor ${highFreqFactor} is below low_freq_factor ${lowFreqFactor}`,
    );
  }
  return {
    type: 'llama3',
    theta: base.theta,
    rotaryDim: base.rotaryDim,
    ...(base.exponentDim !== undefined && { exponentDim: base.exponentDim }),
    factor,
    lowFreqFactor,
    highFreqFactor,
    originalMaxPositions: base.window,
  };
}

/** The zero tail is part of the architecture; only a factor or another theta can be written. */
function proportionalSpec(definition: Shorthand, trained: RopeSpecOf<'proportional'>): RopeSpec {
  if (definition.method !== 'linear') {
    failCandidate(
      'unsupported_candidate',
      definition.label,
      'this model has proportional RoPE, whose still pairs no other rope type keeps',
      'linear:F and theta:X can be written for it',
    );
  }
  return { ...trained, factor: trained.factor * definition.factor };
}

function requirePairs(definition: Shorthand, rotaryDim: number): void {
  if (rotaryDim > 2) return;
  failCandidate('unsupported_candidate', definition.label, 'needs more than one rotated pair');
}
