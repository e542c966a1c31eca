import { isRecord } from '../json/parse.js';
import { effectiveTheta } from '../rope/kinds/ntk.js';
import { yarnMscale } from '../rope/kinds/yarn.js';
import { computeRope } from '../rope/registry.js';
import type { RopeSpec, RopeSpecOf } from '../rope/spec.js';
import { own, shapeOf } from './config-file.js';
import type { EmitInput } from './types.js';

/** A JSON object on its way into a config or a command line. */
export type Block = Readonly<Record<string, unknown>>;

/** The scaling block in transformers' words; undefined where theta says it all. */
export function scalingBlock(rope: RopeSpec): Block | undefined {
  switch (rope.type) {
    case 'default':
    case 'ntk':
      return undefined;
    case 'linear':
    case 'dynamic':
      return { rope_type: rope.type, factor: rope.factor };
    case 'yarn':
      return yarnBlock(rope);
    case 'llama3':
      return {
        rope_type: 'llama3',
        factor: rope.factor,
        low_freq_factor: rope.lowFreqFactor,
        high_freq_factor: rope.highFreqFactor,
        original_max_position_embeddings: rope.originalMaxPositions,
      };
    case 'longrope':
      return {
        rope_type: 'longrope',
        short_factor: rope.shortFactor,
        long_factor: rope.longFactor,
        factor: rope.factor,
        original_max_position_embeddings: rope.originalMaxPositions,
        ...optional('attention_factor', rope.attentionFactor),
        ...optional('short_mscale', rope.shortMscale),
        ...optional('long_mscale', rope.longMscale),
      };
    case 'proportional':
      return {
        rope_type: 'proportional',
        partial_rotary_factor: rope.partialRotaryFactor,
        factor: rope.factor,
      };
  }
}

/** Values that are the default anyway stay out: fewer keys are fewer keys to be misread. */
function yarnBlock(rope: RopeSpecOf<'yarn'>): Block {
  return {
    rope_type: 'yarn',
    factor: rope.factor,
    original_max_position_embeddings: rope.originalMaxPositions,
    ...yarnExtras(rope),
    ...optional('mscale', rope.mscale),
    ...optional('mscale_all_dim', rope.mscaleAllDim),
    ...optional('attention_factor', rope.attentionFactor),
  };
}

function yarnExtras(rope: RopeSpecOf<'yarn'>): Block {
  return {
    ...(rope.betaFast === YARN_BETAS.fast ? {} : { beta_fast: rope.betaFast }),
    ...(rope.betaSlow === YARN_BETAS.slow ? {} : { beta_slow: rope.betaSlow }),
    ...(rope.truncate ? {} : { truncate: false }),
  };
}

/** YaRN's own values (Peng et al. 2023, section 3.2). */
export const YARN_BETAS = Object.freeze({ fast: 32, slow: 1 });

/**
 * The multiplier that vLLM and SGLang want as `attn_factor`: theirs stands on top of YaRN's own
 * temperature, transformers' `attention_factor` in its place. 1 = nothing to say.
 */
export function attnFactorOf(rope: RopeSpecOf<'yarn'>): number {
  return computeRope(rope).attentionScaling / yarnMscale(rope.factor);
}

/**
 * The block for vLLM and SGLang. They drop `attention_factor`, and `mscale` outside of the models
 * that came with it, so that the attention scaling is written the way they read it.
 *
 * @param latent multi-head latent attention: those models read `mscale` themselves
 */
export function servingBlock(rope: RopeSpec, latent: boolean): Block {
  const theta = { rope_theta: effectiveTheta(rope) };
  if (rope.type !== 'yarn' || latent) {
    return { ...(scalingBlock(rope) ?? { rope_type: 'default' }), ...theta };
  }
  const attnFactor = attnFactorOf(rope);
  return {
    rope_type: 'yarn',
    factor: rope.factor,
    original_max_position_embeddings: rope.originalMaxPositions,
    ...yarnExtras(rope),
    ...(Math.abs(attnFactor - 1) < 1e-9 ? {} : { attn_factor: attnFactor }),
    ...theta,
  };
}

/** Keys beside the scaling that must survive a new block: they say how the model is built. */
const KEPT_KEYS = ['mrope_section', 'mrope_interleaved', 'partial_rotary_factor'];

export function keptKeys(block: unknown): Block {
  if (typeof block !== 'object' || block === null || Array.isArray(block)) return {};
  return Object.fromEntries(Object.entries(block).filter(([key]) => KEPT_KEYS.includes(key)));
}

function optional(key: string, value: number | undefined): Block {
  return value === undefined ? {} : { [key]: value };
}

/**
 * `rope_scaling` as an override. Overrides only set keys, so that the block of the file stays in
 * force until null takes its place.
 *
 * @param block what the scaling says; its rope type is `default` where theta says it all
 * @param stale whether a block is in force that must not be
 * @returns undefined: the key need not be set
 */
export function scalingOverride(block: Block, stale: boolean): Block | null | undefined {
  const describes = Object.keys(block).some((key) => key !== 'rope_type' && key !== 'rope_theta');
  // What describes the model needs a block to stand in.
  if (block['rope_type'] !== 'default' || describes) return block;
  return stale ? null : undefined;
}

/** Whether the file has a block, or the model's class one of its own. */
export function hasBlock({ raw, geometry }: EmitInput): boolean {
  const { at } = shapeOf(raw);
  const written = ['rope_scaling', 'rope_parameters'].some((key) => {
    const block = own(at, key);
    return isRecord(block) && Object.keys(block).length > 0;
  });
  return written || geometry.groups.some(({ rope }) => rope.type !== 'default');
}
