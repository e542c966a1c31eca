import { fail, show } from '../json/fail.js';
import { Fields } from '../json/fields.js';
import { isRecord } from '../json/parse.js';
import { CLASS_DEFAULTS, COMPOSITES } from './class-defaults.js';

/** Other files of a model folder, by the keys that give them away. */
const OTHER_FILES: readonly { readonly keys: readonly string[]; readonly name: string }[] =
  Object.freeze([
    { keys: ['weight_map'], name: 'the index of the weights' },
    { keys: ['tokenizer_class', 'added_tokens'], name: 'a config of the tokenizer' },
    {
      keys: ['max_new_tokens', 'do_sample', 'temperature', 'top_p'],
      name: 'a generation_config.json',
    },
  ]);

/** What to do where a config has no model type: most often it is another file. */
export function withoutModelType(root: Fields): string {
  if (root.given('peft_type')) {
    const base = root.raw('base_model_name_or_path');
    const named = typeof base === 'string' && base !== '' ? `, ${show(base)}` : '';
    return `this is the config of an adapter, which has no positions of its own: give that of its base model${named}`;
  }
  const other = OTHER_FILES.find(({ keys }) => keys.some((key) => root.given(key)));
  if (other) return `this looks like ${other.name}: give the config.json beside it`;
  return 'the model type decides which keys count; transformers cannot load such a file either';
}

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
    type = resolve(own ?? COMPOSITES.get(type)?.type ?? `${type}_text`);
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
