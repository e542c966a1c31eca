import { CLASS_DEFAULTS } from './class-defaults/index.js';
import { fail } from './fail.js';
import { Fields } from './fields.js';
import { isRecord } from './json.js';
import { withoutModelType } from './other-files.js';
import { PART_TYPES } from './part-types.js';

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
}

/**
 * Finds the language model inside a config. A composite whose text keys stand at the top (as
 * Qwen2-VL was published) is read there, with the defaults of its text class.
 *
 * @throws RopeEvalError `missing_field` without a model type, `wrong_type` for one that is no text
 */
export function findPart(root: Fields): Part {
  const modelType = root.nullableString('model_type') ?? '';
  let fields = root;
  let type = modelType;
  let encoder: Fields | undefined;
  // A thinker holds a text_config of its own; published configs go no deeper.
  for (let level = 0; level < MAX_LEVELS; level++) {
    const key = PART_KEYS.find((name) => isRecord(fields.raw(name)));
    if (key === undefined) break;
    const inner = fields.nullableFields(key);
    if (inner === undefined) break;
    if (key === 'decoder') encoder = fields.nullableFields('encoder');
    const own = inner.nullableString('model_type');
    type = resolve(own ?? PART_TYPES.get(type) ?? `${type}_text`);
    fields = inner;
  }
  if (fields !== root) return { fields, modelType: type, nested: true, encoder };
  if (modelType === '') {
    fail('missing_field', 'model_type', 'is missing', withoutModelType(root));
  }
  return { fields, modelType: resolve(modelType), nested: false, encoder };
}

const MAX_LEVELS = 2;

/** The text class of a composite whose own name has no defaults. */
function resolve(modelType: string): string {
  if (CLASS_DEFAULTS.has(modelType)) return modelType;
  return CLASS_DEFAULTS.has(`${modelType}_text`) ? `${modelType}_text` : modelType;
}
