import { finding } from '../finding-catalogue/index.js';
import type { Finding } from '../findings.js';
import { didYouMean, suggest } from '../suggest.js';
import { CLASS_DEFAULTS } from './class-defaults/index.js';
import { isLatent, latentAttention } from './dialects/latent.js';
import type { Dialect } from './dialects/types.js';
import { fail } from './fail.js';
import { Fields } from './fields.js';
import { repeatedKeys, type UnknownRecord } from './json.js';
import { misspeltKeys } from './misspelt.js';
import { NOT_ROPE_TYPES, notRope } from './not-rope.js';
import { findPart, type Part } from './part.js';
import { dialectOf, hasDialect } from './registry.js';
import type { Source } from './source.js';
import type { ModelGeometry, NotRope } from './types.js';

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
  const findings: Finding[] = repeatedKeys(config).map(({ path }) => finding('repeated_key', path));
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
  const kept = { ...geometry, findings: unique(all) };
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
  return tables(encoder) === tables(decoder) ? [] : [finding('encoder_differs', 'encoder')];
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
function unique(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map(findings.map((found) => [JSON.stringify(found), found]));
  return [...seen.values()];
}

/** Whether the answer is that the model does not use RoPE. */
export function isNotRope(model: ModelGeometry | NotRope): model is NotRope {
  return Object.hasOwn(model, 'encoding');
}
