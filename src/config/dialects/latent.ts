import { BOUNDS } from '../bounds.js';
import { type DecoderRules, readDecoder } from '../decoder.js';
import { fail } from '../fail.js';
import type { Source } from '../source.js';
import type { AttentionShape } from '../types.js';
import type { Dialect } from './types.js';

const DIM = Object.freeze({ above: 0, max: BOUNDS.headDim });

/** Class defaults of the latent-attention families: nope and rope part of a query, rank. */
const LATENT_DEFAULTS = Object.freeze({ rope: 64, nope: 128, rank: 512 });

/** Whether a config describes multi-head latent attention, whatever its model type. */
export function isLatent(source: Source): boolean {
  return source.fields.given('qk_rope_head_dim') && source.fields.given('kv_lora_rank');
}

function ropeDim(source: Source): number {
  const value = source.fields.integer('qk_rope_head_dim', DIM);
  if (value !== undefined) return value;
  if (source.defaults === undefined) {
    fail('missing_field', 'qk_rope_head_dim', 'is missing: the rotated part of a latent head');
  }
  return source.defaults.headDim ?? LATENT_DEFAULTS.rope;
}

function latent(source: Source): AttentionShape['latent'] {
  const rank = source.fields.nullableInteger('kv_lora_rank', { above: 0, max: BOUNDS.width });
  return { rank: rank ?? LATENT_DEFAULTS.rank, ropeDim: ropeDim(source) };
}

/** Width of a query: the part without and the part with positions. */
function queryDim(source: Source): number {
  const nope = source.fields.nullableInteger('qk_nope_head_dim', DIM);
  return (nope ?? LATENT_DEFAULTS.nope) + ropeDim(source);
}

/** Rules for latent attention; `mscaleSquared` for DeepSeek-V3's softmax factor. */
export function latentRules(mscaleSquared: boolean): DecoderRules {
  return {
    shape: { fixedHeadDim: ropeDim },
    latent,
    softmax: { queryDim, yarnMscaleSquared: mscaleSquared },
  };
}

function read(mscaleSquared: boolean): Dialect['read'] {
  const rules = latentRules(mscaleSquared);
  return (source) => readDecoder(source, rules);
}

/** DeepSeek-V3 and its relatives: YaRN's mscale_all_dim also scales the softmax, squared. */
export const latentAttention: Dialect = Object.freeze({
  name: 'multi-head latent attention',
  modelTypes: [
    'deepseek_v2',
    'deepseek_v3',
    'deepseek_v32',
    'kimi_k2',
    'glm4_moe_lite',
    'glm_moe_dsa',
    'longcat_flash',
    'minicpm3',
    'youtu',
    'axk1',
    'axk2',
    'hy_v4',
    'bailing_hybrid',
  ],
  read: read(true),
});
