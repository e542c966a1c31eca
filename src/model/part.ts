import { type Finding, finding } from '../findings/index.js';
import type { Fields } from '../json/fields.js';
import { fail, isRecord, show } from '../json/parse.js';
import { NOT_ROPE_TYPES } from './not-rope.js';
import { hasDialect } from './registry.js';
import { CLASS_DEFAULTS, COMPOSITES } from './source.js';

/** Keys under which a multimodal or encoder-decoder config keeps its language model. */
export const PART_KEYS = [
  'text_config',
  'thinker_config',
  'llm_config',
  'language_config',
  'decoder',
  'decoder_config',
] as const;

/** The part of a config that is read, and its model type. */
export interface Part {
  readonly fields: Fields;
  readonly modelType: string;
  readonly nested: boolean;
  /** The encoder's part, if there is one as well. */
  readonly encoder: Fields | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Finds the language model inside a config in the same place as the class of its model type:
 *
 * - A composite is read in the part that its class reads. If that part is missing, classes that
 *   also read the top level (Qwen2-VL was published that way) are read there, and others get the
 *   defaults of their text class.
 * - Any other known model type is read at the top level, whatever parts the file has besides.
 * - An unknown model type is read in its part, if it has one.
 *
 * @throws RopeEvalError `missing_field` without a model type, `wrong_type` for one that is not text
 */
export function findPart(root: Fields): Part {
  const modelType = root.nullableString('model_type') ?? '';
  let fields = root;
  let type = modelType;
  let encoder: Fields | undefined;
  const findings: Finding[] = [];
  // A thinker has its own text_config; published configs nest no deeper.
  for (let level = 0; level < MAX_LEVELS; level++) {
    const found = partOf(fields, type);
    findings.push(...found.findings);
    const { inner } = found;
    if (inner === undefined) break;
    if (found.key === 'decoder') encoder = fields.nullableFields('encoder');
    const own = inner.nullableString('model_type');
    type = textClassOf(own ?? COMPOSITES.get(type)?.type ?? `${type}_text`);
    fields = inner;
  }
  if (fields !== root) return { fields, modelType: type, nested: true, encoder, findings };
  if (modelType === '') fail('missing_field', 'model_type', 'is missing', withoutModelType(root));
  // MLC's config names a model type as a config.json does, but keeps the numbers under other names.
  if (MLC.keys.every((key) => root.given(key))) {
    fail('missing_field', 'max_position_embeddings', 'is missing', looksLike(MLC));
  }
  return { fields, modelType: textClassOf(modelType), nested: false, encoder, findings };
}

const MAX_LEVELS = 2;

/** The part found at one level. Findings name the parts beside it that its class does not read. */
interface Inner {
  readonly key?: string;
  readonly inner?: Fields | undefined;
  readonly findings: readonly Finding[];
}

function partOf(fields: Fields, type: string): Inner {
  const present = PART_KEYS.filter((key) => isRecord(fields.raw(key)));
  const composite = COMPOSITES.get(type);
  const unread = (keys: readonly string[]): readonly Finding[] =>
    keys.map((part) => finding('part_not_read', fields.at(part), { model: type, part }));
  if (composite === undefined) {
    if (isKnown(type)) return { findings: unread(present) };
    const [key] = present;
    return { ...(key && { key, inner: fields.nullableFields(key) }), findings: [] };
  }
  const { also = [], flat = false } = composite;
  const key = [composite.key, ...also].find((each) => fields.given(each)) ?? composite.key;
  const findings = unread(present.filter((each) => each !== key));
  const inner = fields.nullableFields(key);
  if (inner !== undefined) return { key, inner, findings };
  // A class whose part is missing makes one from its defaults, whatever the rest of the file
  // contains.
  return flat ? { findings } : { key, inner: fields.beside({}, fields.at(key)), findings };
}

/** Whether a model type has a known class, which reads the top level if it is no composite. */
function isKnown(type: string): boolean {
  return CLASS_DEFAULTS.has(type) || hasDialect(type) || NOT_ROPE_TYPES.has(type);
}

/** Returns the text class of a composite if the composite's own name has no defaults. */
function textClassOf(modelType: string): string {
  if (CLASS_DEFAULTS.has(modelType)) return modelType;
  return CLASS_DEFAULTS.has(`${modelType}_text`) ? `${modelType}_text` : modelType;
}

/** A file that is not a config.json of transformers, recognised by its keys. */
interface OtherFile {
  /** All of these keys are present. */
  readonly keys: readonly string[];
  readonly name: string;
  /** The advice, if it is not to give the config.json beside the file. */
  readonly instead?: string;
}

const TWIN = 'give the config.json of the same model in the form that transformers reads';

const MLC: OtherFile = Object.freeze({
  keys: ['quantization', 'model_config'],
  name: "MLC-LLM's config",
  instead: TWIN,
});

/** If two entries match, the first one counts. */
const OTHER_FILES: readonly OtherFile[] = Object.freeze([
  { keys: ['weight_map'], name: 'the index of the weights' },
  {
    keys: ['model', 'search'],
    name: 'a genai_config.json of onnxruntime-genai, which has no frequencies: they are in the graph',
    instead: TWIN,
  },
  {
    keys: ['pretrained_config'],
    name: "TensorRT-LLM's config of an engine",
    instead: `${TWIN}: the one that the engine was built from`,
  },
  {
    keys: ['architecture', 'position_embedding_type'],
    name: "TensorRT-LLM's config of a checkpoint",
    instead: `${TWIN}: the one that it was converted from`,
  },
  { keys: ['tokenizer_class'], name: 'a config of the tokenizer' },
  { keys: ['added_tokens'], name: 'a config of the tokenizer' },
  { keys: ['processor_class'], name: 'a config of the processor' },
  { keys: ['image_processor_type'], name: 'a config of the image processor' },
  { keys: ['feature_extractor_type'], name: 'a config of the feature extractor' },
  { keys: ['chat_template'], name: 'a chat template' },
  ...['max_new_tokens', 'do_sample', 'temperature', 'top_p'].map((key) => ({
    keys: [key],
    name: 'a generation_config.json',
  })),
  {
    keys: ['_class_name'],
    name: 'a config of diffusers',
    instead: 'rope-eval reads language models',
  },
]);

function looksLike({ name, instead }: OtherFile): string {
  return `this looks like ${name}: ${instead ?? 'give the config.json beside it'}`;
}

/** Advises on a config without a model type. Most often it is another kind of file. */
function withoutModelType(root: Fields): string {
  if (root.given('peft_type')) {
    const base = root.raw('base_model_name_or_path');
    const named = typeof base === 'string' && base !== '' ? `, ${show(base)}` : '';
    return `this is the config of an adapter, which has no positions of its own: give that of its base model${named}`;
  }
  const other = OTHER_FILES.find(({ keys }) => keys.every((key) => root.given(key)));
  if (other !== undefined) return looksLike(other);
  return 'the model type decides which keys count; transformers cannot load such a file either';
}
