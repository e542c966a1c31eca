import { finding, type Finding } from '../findings/index.js';
import { type Fields, POSITIVE } from '../json/fields.js';
import { isRecord } from '../json/parse.js';
import { suggest } from '../text.js';
import { untrainedWindow } from './evidence.js';
import { type Source, TRANSFORMERS_VERSION } from './source.js';
import type { ModelGeometry } from './types.js';

/** Checks a model after all of it is read. */
export function checkModel(source: Source, model: ModelGeometry): readonly Finding[] {
  return [
    ...misspeltKeys(source.fields),
    ...sparseAttention(source),
    ...classFaults(source, model),
    ...missingBlock(source, model),
    ...otherMechanisms(source.fields),
  ];
}

/** Top-level keys that affect RoPE, in any dialect. */
const ROPE_KEYS = [
  'rope_theta',
  'rope_scaling',
  'rope_parameters',
  'rope_local_base_freq',
  'partial_rotary_factor',
  'partial_rotary_factors',
  'rotary_pct',
  'rotary_emb_base',
  'rotary_dim',
  'head_dim',
  'global_head_dim',
  'max_position_embeddings',
  'original_max_position_embeddings',
  'num_attention_heads',
  'num_key_value_heads',
  'num_hidden_layers',
  'hidden_size',
  'qk_rope_head_dim',
  'qk_nope_head_dim',
  'kv_lora_rank',
  'sliding_window',
  'sliding_window_pattern',
  'use_sliding_window',
  'attention_chunk_size',
  'layer_types',
  'no_rope_layers',
  'no_rope_layer_interval',
  'global_rope_theta',
  'local_rope_theta',
  'query_pre_attn_scalar',
] as const;

/** Keys of published configs that look like a misspelt rope key but mean something else. */
const OTHER_KEYS: ReadonlySet<string> = new Set([
  'v_head_dim',
  'qk_head_dim',
  'q_lora_rank',
  'sliding_window_size',
  'rope_interleave',
  'rope_interleaved',
  'mlp_layer_types',
  'index_head_dim',
  'attention_head_dim',
  'num_hidden_groups',
  'compress_rope_theta',
  'layers_types',
  'hidden_sizes',
  'rope_type',
  'rope_ratio',
  'swa_rope_theta',
  'swa_head_dim',
  'use_rope_scaling',
  'attention_head_size',
  'hidden_stride',
  'layer_type',
]);

/** An untrusted object may have very many keys. A config with more than this has other problems. */
const MAX_KEYS = 2000;

/** Reports keys that nothing reads and that look like a misspelt rope key. */
function misspeltKeys(fields: Fields): readonly Finding[] {
  const known: readonly string[] = ROPE_KEYS;
  return Object.keys(fields.record)
    .slice(0, MAX_KEYS)
    .flatMap((key) => {
      if (known.includes(key) || OTHER_KEYS.has(key) || fields.seen.has(fields.at(key))) return [];
      // Most keys resemble none of these, and comparing letter by letter is slow.
      if (!ROPE_KEYS.some((name) => isClose(key, name))) return [];
      const meant = suggest(key, ROPE_KEYS);
      if (meant === undefined || !isClose(key, meant)) return [];
      return [finding('misspelt_key', fields.at(key), { suggestion: meant })];
    });
}

/**
 * Whether a key may be a misspelling of another. A misspelling keeps the first letter and about the
 * length; keys with another meaning are short or start differently.
 */
function isClose(key: string, meant: string): boolean {
  return key.length >= 6 && Math.abs(key.length - meant.length) <= 2 && key[0] === meant[0];
}

/** How indexers name the keys that a query attends to, and the tokens of each. */
const INDEXERS: readonly { readonly kept: string; readonly per?: string; readonly in?: string }[] =
  Object.freeze([
    { kept: 'index_topk' },
    { kept: 'indexer_budget' },
    { kept: 'index_topk_blocks', per: 'index_block_size' },
    { kept: 'topk', per: 'block_size', in: 'sparse_config' },
    { kept: 'topk', per: 'block_size', in: 'sparse_attention_config' },
    { kept: 'sparse_topk_blocks', per: 'sparse_block_size', in: 'sparse_attention_config' },
    { kept: 'moba_topk', per: 'moba_chunk_size' },
  ]);

/** Reports that layers attend only to the keys that an indexer picks, as in DeepSeek-V3.2. */
function sparseAttention({ fields, defaults }: Source): readonly Finding[] {
  for (const { kept, per, in: key } of INDEXERS) {
    const at =
      key === undefined
        ? fields
        : isRecord(fields.raw(key))
          ? fields.nullableFields(key)
          : undefined;
    const count = at?.nullableInteger(kept, POSITIVE.tokens);
    if (at === undefined || count === undefined) continue;
    const size = per === undefined ? 1 : (at.nullableInteger(per, POSITIVE.tokens) ?? 1);
    return [finding('sparse_attention', at.at(kept), { kept: count * size })];
  }
  // The class has its indexer even if the config has no key for it; DeepSeek-V3.2 keeps 2,048 keys.
  return defaults?.indexed === true
    ? [finding('sparse_attention', fields.at('index_topk'), { kept: DEFAULT_INDEX })]
    : [];
}

const DEFAULT_INDEX = 2048;

/** Classes whose rope functions compute with a head_dim of None unless the file has the key. */
const HEAD_DIM_IS_NONE = [
  'mixtral',
  'ministral',
  'minimax',
  'hunyuan_v1_dense',
  'hunyuan_v1_moe',
  'hunyuan_vl_text',
];

const ASKS_FOR_HEAD_DIM = ['dynamic', 'ntk', 'yarn', 'longrope'];

/** Classes with a config per layer. They raise an error when asked for a single head_dim. */
const HEAD_DIM_BY_LAYER = [
  'gemma4_text',
  'gemma4_unified_text',
  'diffusion_gemma_text',
  'embedding_gemma2_text',
  'dots3_note_text',
];

/** Reports faults of the class that change what runs (tools/transformers demonstrates each). */
function classFaults(source: Source, model: ModelGeometry): readonly Finding[] {
  const { fields, modelType } = source;
  const scaled = model.groups.find(({ rope }) => rope.type !== 'default');
  if (scaled === undefined) return [];
  const { type } = scaled.rope;
  const path = fields.given('rope_scaling')
    ? fields.at('rope_scaling')
    : fields.at('rope_parameters');
  const common = { model: modelType, version: TRANSFORMERS_VERSION };
  if (HEAD_DIM_IS_NONE.includes(modelType) && !fields.given('head_dim')) {
    if (ASKS_FOR_HEAD_DIM.includes(type)) {
      const value = model.attention.headDim;
      // This is only a notice because the block is sound and every other engine runs it.
      return [
        finding('class_fault', path, { ...common, fault: 'head_dim_is_none', value }, 'notice'),
      ];
    }
  }
  if (type === 'longrope' && HEAD_DIM_BY_LAYER.includes(modelType)) {
    return [finding('class_fault', path, { ...common, fault: 'one_head_dim' })];
  }
  if (scaled.rope.type === 'longrope' && scaled.rope.shortAtEveryLength === true) {
    return [finding('class_fault', path, { ...common, fault: 'short_at_every_length' })];
  }
  return [];
}

/** Reports a missing scaling in a model type that was always published with one. */
function missingBlock({ fields, modelType }: Source, model: ModelGeometry): readonly Finding[] {
  const known = untrainedWindow(modelType);
  const max = model.maxPositions;
  if (known === undefined || max <= known) return [];
  if (model.groups.some(({ rope }) => rope.type !== 'default')) return [];
  const key = fields.has('rope_parameters') ? 'rope_parameters' : 'rope_scaling';
  return [finding('block_missing', fields.at(key), { model: modelType, known, max })];
}

const MECHANISMS = Object.freeze([
  {
    name: 'dual chunk attention',
    does: 'splits the context into chunks and remaps the distances between them',
    keys: /^(use_)?dual_chunk_attention|^dca_/,
  },
  {
    name: 'SelfExtend',
    does: 'groups far positions so that no distance exceeds the trained window',
    keys: /^(use_)?self_?extend|^grp_attn_|^ga_[nw]$/,
  },
  {
    name: 'DroPE',
    does: 'drops the position encoding after training',
    keys: /^(use_|is_)?drope(_|$)|^drop_(rope|position_embeddings?)(_|$)/,
  },
  {
    name: 'CoPE',
    does: 'changes the slow pairs, or counts positions by content',
    keys: /^(use_)?cope(_|$)|^npos_max$/,
  },
  {
    name: 'Dynamic NTK scaling in the model’s own code (nomic_bert)',
    does: 'raises theta with the length beyond max_trained_positions',
    keys: /^rotary_scaling_factor$/,
  },
]);

/** Reports mechanisms other than RoPE that a key of the config or its block switches on. */
function otherMechanisms(fields: Fields): readonly Finding[] {
  const blocks = ['rope_scaling', 'rope_parameters'].filter((key) => isRecord(fields.raw(key)));
  const places = [fields, ...blocks.map((key) => fields.nullableFields(key)!)];
  return MECHANISMS.flatMap(({ name, does, keys }) => {
    const isOn = (place: Fields, key: string): boolean =>
      keys.test(key.toLowerCase()) && !OFF.includes(place.raw(key));
    const [path] = places.flatMap((place) =>
      Object.keys(place.record)
        .filter((key) => isOn(place, key))
        .map((key) => place.at(key)),
    );
    return path === undefined ? [] : [finding('not_evaluated', path, { mechanism: name, does })];
  });
}

const OFF: readonly unknown[] = [undefined, null, false, 0];

/**
 * Blocks as their vendor published them, whose factor is not the ratio of their windows. From
 * Qwen's model cards: the models were trained on 32,768 tokens, and 40,960 adds 8,192 tokens for an
 * answer.
 */
const RECIPES = Object.freeze([
  { modelTypes: /^qwen3/, factor: 4, original: 32_768, max: [40_960, 131_072, 163_840] },
  { modelTypes: /^qwen2/, factor: 4, original: 32_768, max: [128_000, 131_072] },
  // The positions of an image grow more slowly than its tokens, so a factor of 3 reaches a million.
  { modelTypes: /^qwen3_vl/, factor: 3, original: 262_144, max: [1_000_000, 1_010_000] },
  { modelTypes: /^qwen3/, factor: 3, original: 262_144, max: [1_000_000, 1_010_000] },
  { modelTypes: /^qwen(3|4)/, factor: 4, original: 262_144, max: [1_000_000, 1_010_000] },
]);

/** Lowers RE007 to a notice, if the vendor published exactly that block. */
export function softenPublished(
  { modelType }: ModelGeometry,
  findings: readonly Finding[],
): readonly Finding[] {
  return findings.map((found) => {
    if (found.code !== 'RE007') return found;
    const { factor, original, max } = found.args;
    const published = RECIPES.some(
      (one) =>
        one.modelTypes.test(modelType) &&
        one.factor === factor &&
        one.original === original &&
        one.max.includes(max),
    );
    return published ? { ...found, severity: 'notice' as const } : found;
  });
}
