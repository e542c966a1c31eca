import type { Finding } from '../findings/index.js';
import { finding } from '../findings/index.js';
import { fail } from '../json/fail.js';
import type { Fields } from '../json/fields.js';
import { isRecord } from '../json/parse.js';
import { CLASS_DEFAULTS, COMPOSITES } from './class-defaults.js';
import { NOT_ROPE_TYPES } from './not-rope.js';
import { withoutModelType } from './other-files.js';
import { hasDialect } from './registry.js';

/** Keys under which a multimodal or encoder-decoder config keeps its language model. */
const PART_KEYS = [
  'text_config',
  'thinker_config',
  'llm_config',
  'language_config',
  'decoder',
  'decoder_config',
] as const;

/** The part of a config that is read, and the model type that it has. */
export interface Part {
  readonly fields: Fields;
  readonly modelType: string;
  readonly nested: boolean;
  /** The encoder's part, where there is one besides. */
  readonly encoder: Fields | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Finds the language model inside a config, as the class of its model type does: a composite in the
 * part that its class reads, any other model type that is known at the top, whatever part stands in
 * the file beside it. A composite whose text keys stand at the top (as Qwen2-VL was published) is
 * read there, with the defaults of its text class. Of an unknown model type the part is taken if it
 * has one.
 *
 * @throws RopeEvalError `missing_field` without a model type, `wrong_type` for one that is no text
 */
export function findPart(root: Fields): Part {
  const modelType = root.nullableString('model_type') ?? '';
  let fields = root;
  let type = modelType;
  let encoder: Fields | undefined;
  const findings: Finding[] = [];
  // A thinker holds a text_config of its own; published configs go no deeper.
  for (let level = 0; level < MAX_LEVELS; level++) {
    const key = partKey(fields, type);
    if (key === undefined) break;
    if (readsTop(type)) {
      findings.push(finding('part_not_read', fields.at(key), { model: type, part: key }));
      break;
    }
    const inner = fields.nullableFields(key);
    if (inner === undefined) break;
    if (key === 'decoder') encoder = fields.nullableFields('encoder');
    const own = inner.nullableString('model_type');
    type = textClassOf(own ?? COMPOSITES.get(type)?.type ?? `${type}_text`);
    fields = inner;
  }
  if (fields !== root) return { fields, modelType: type, nested: true, encoder, findings };
  if (modelType === '') {
    fail('missing_field', 'model_type', 'is missing', withoutModelType(root));
  }
  return { fields, modelType: textClassOf(modelType), nested: false, encoder, findings };
}

const MAX_LEVELS = 2;

/** The key of the part, that of the class first. */
function partKey(fields: Fields, type: string): string | undefined {
  const own = COMPOSITES.get(type)?.key;
  const keys = own === undefined ? PART_KEYS : [own, ...PART_KEYS];
  return keys.find((key) => isRecord(fields.raw(key)));
}

/** Whether the class of a model type is known to read its own keys, and no part. */
function readsTop(type: string): boolean {
  return (
    !COMPOSITES.has(type) &&
    (CLASS_DEFAULTS.has(type) || hasDialect(type) || NOT_ROPE_TYPES.has(type))
  );
}

/** The text class of a composite whose own name has no defaults. */
function textClassOf(modelType: string): string {
  if (CLASS_DEFAULTS.has(modelType)) return modelType;
  return CLASS_DEFAULTS.has(`${modelType}_text`) ? `${modelType}_text` : modelType;
}
