import { finding, wordFinding, type Finding } from '../findings/index.js';
import { fail } from '../json/fail.js';
import { Fields } from '../json/fields.js';
import { repeatedKeys, type UnknownRecord } from '../json/parse.js';
import { didYouMean, suggest } from '../suggest.js';
import { CLASS_DEFAULTS } from './class-defaults.js';
import type { Dialect } from './dialects/dialect.js';
import { isLatent, latentAttention } from './dialects/latent.js';
import { NOT_ROPE_TYPES, notRope } from './not-rope.js';
import { findPart, type Part } from './part.js';
import { dialectOf, hasDialect } from './registry.js';
import type { Source } from './source.js';
import type { ModelGeometry, NotRope } from './types.js';

/** Top-level keys that decide about RoPE, in any dialect. */
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

/**
 * Real keys of published configs that are one or two letters from a rope key, and mean something
 * else.
 */
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

/** Untrusted objects may have very many keys; a config with more than this has other problems. */
const MAX_KEYS = 2000;

/** Keys that look like a rope key with a slip, and are read by nobody. */
export function misspeltKeys(fields: Fields): readonly Finding[] {
  const known: readonly string[] = ROPE_KEYS;
  return Object.keys(fields.record)
    .slice(0, MAX_KEYS)
    .flatMap((key) => {
      if (known.includes(key) || OTHER_KEYS.has(key) || fields.seen.has(key)) return [];
      // Most keys are far from all of these, and comparing letter by letter is slow.
      if (!ROPE_KEYS.some((name) => isClose(key, name))) return [];
      const meant = suggest(key, ROPE_KEYS);
      if (meant === undefined || !isClose(key, meant)) return [];
      return [finding('misspelt_key', fields.at(key), { suggestion: meant })];
    });
}

/** Real keys of other meaning are short or start differently; a slip keeps the beginning. */
function isClose(key: string, meant: string): boolean {
  return key.length >= 6 && Math.abs(key.length - meant.length) <= 2 && key[0] === meant[0];
}

/**
 * Reads a parsed config.json: which layers rotate, with which frequencies, and what looks wrong.
 *
 * What has no meaning is an error; what transformers computes in silence, though it was hardly
 * meant, is a finding. A model without RoPE is an answer, not an error.
 *
 * @throws RopeEvalError exit code 2, with kind, path and hint
 */
export function readModel(config: UnknownRecord): ModelGeometry | NotRope {
  const root = new Fields(config, '');
  const part = findPart(root);
  const findings: Finding[] = repeatedKeys(config).map(({ path }) =>
    finding('repeated_key', path, {}),
  );
  const encoding = NOT_ROPE_TYPES.get(part.modelType);
  const architecture = architectureOf(root) ?? architectureOf(part.fields);
  if (encoding !== undefined) {
    const { fields, modelType } = part;
    return notRope({ modelType, architecture, findings, fields }, encoding);
  }
  const defaults = CLASS_DEFAULTS.get(part.modelType);
  const source: Source = {
    modelType: part.modelType,
    architecture,
    fields: part.fields,
    defaults,
    nested: part.nested,
    findings,
  };
  const known = defaults !== undefined || hasDialect(part.modelType);
  if (!known) checkUnknown(source);
  const geometry = chooseDialect(source, known).read(source);
  const all = [
    ...geometry.findings,
    ...misspeltKeys(part.fields),
    ...encoderFindings(geometry, part, source),
  ];
  const kept = { ...geometry, findings: withoutRepeats(all) };
  return isNotRope(kept) ? kept : { ...kept, config, partPath: part.fields.path };
}

/** Whether the encoder of an encoder-decoder has tables of its own. */
function encoderFindings(
  decoder: ModelGeometry | NotRope,
  part: Part,
  source: Source,
): readonly Finding[] {
  if (part.encoder === undefined || isNotRope(decoder)) return [];
  const encoder = dialectOf(source.modelType).read({
    ...source,
    fields: part.encoder,
    findings: [],
  });
  const tables = (model: ModelGeometry | NotRope): string =>
    isNotRope(model) ? '' : JSON.stringify(model.groups.map((group) => group.rope));
  return tables(encoder) === tables(decoder) ? [] : [finding('encoder_differs', 'encoder', {})];
}

function chooseDialect(source: Source, known: boolean): Dialect {
  if (!known && isLatent(source)) return latentAttention;
  return dialectOf(source.modelType);
}

/**
 * An unknown model type is read as a plain decoder if it has the ordinary keys. Without any rope
 * key nothing says that it rotates, or how.
 *
 * @throws RopeEvalError `unknown_model_type`
 */
function checkUnknown(source: Source): void {
  const { fields, modelType } = source;
  const ordinary =
    fields.given('hidden_size') &&
    fields.given('num_attention_heads') &&
    ROPE_EVIDENCE.some((key) => fields.given(key));
  if (!ordinary) {
    fail(
      'unknown_model_type',
      fields.at('model_type'),
      `"${modelType}" is not known, and the config has no ordinary rope keys${didYouMean(modelType, CLASS_DEFAULTS.keys())}`,
      'a plain decoder has hidden_size, num_attention_heads, max_position_embeddings and rope_theta; code that ships with a model is not read',
    );
  }
  const meant = suggest(modelType, CLASS_DEFAULTS.keys());
  source.findings.push(
    finding('unknown_model_type', fields.at('model_type'), {
      model: modelType,
      ...(meant !== undefined && { suggestion: meant }),
    }),
  );
}

const ROPE_EVIDENCE = [
  'rope_theta',
  'rope_scaling',
  'rope_parameters',
  'qk_rope_head_dim',
] as const;

function architectureOf(fields: Fields): string | undefined {
  const list = fields.raw('architectures');
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return typeof first === 'string' ? first : undefined;
}

/** A block shared by several layer types reports once. */
function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map(findings.map((found) => [JSON.stringify(found), found]));
  return [...seen.values()];
}

/** Whether the answer is that the model does not use RoPE. */
export function isNotRope(model: ModelGeometry | NotRope): model is NotRope {
  return Object.hasOwn(model, 'encoding');
}

/**
 * For everything that has nothing to say about a model without RoPE.
 *
 * @throws RopeEvalError `not_rope`
 */
export function requireRope(read: ModelGeometry | NotRope): ModelGeometry {
  if (!isNotRope(read)) return read;
  // The last finding is the one that names what the model uses.
  const why = read.findings.at(-1);
  fail(
    'not_rope',
    '',
    `${read.modelType} does not use RoPE${why === undefined ? '' : `: ${wordFinding({ ...why, path: '' })}`}`,
    'RoPE scalings have no effect on it. `rope-eval inspect` says more.',
  );
}
