import { type Finding, finding } from '../findings/index.js';
import { fail, show } from '../json/bounds.js';
import type { Fields } from '../json/fields.js';
import { isRecord } from '../json/parse.js';
import { CLASS_DEFAULTS, COMPOSITES } from './class-defaults.js';
import { NOT_ROPE_TYPES } from './not-rope.js';
import { hasDialect } from './registry.js';

/** Keys under which a multimodal or encoder-decoder config keeps its language model. */
export const PART_KEYS = [
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
 * the file beside it. Without that part, a class that also reads the top (Qwen2-VL was published so)
 * is read there, and any other by the defaults of its text class. Of an unknown model type the part
 * is taken if it has one.
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
  if (modelType === '') {
    fail('missing_field', 'model_type', 'is missing', withoutModelType(root));
  }
  // Names a model type as a config.json does, and keeps the numbers under other names.
  if (MLC.keys.every((key) => root.given(key))) {
    fail('missing_field', 'max_position_embeddings', 'is missing', looksLike(MLC));
  }
  return { fields, modelType: textClassOf(modelType), nested: false, encoder, findings };
}

const MAX_LEVELS = 2;

/** The part of one level, and the parts beside it that its class leaves alone. */
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
    if (readsTop(type)) return { findings: unread(present) };
    const [key] = present;
    return key === undefined
      ? { findings: [] }
      : { key, inner: fields.nullableFields(key), findings: [] };
  }
  const { also = [], flat = false } = composite;
  const key = [composite.key, ...also].find((each) => fields.given(each)) ?? composite.key;
  const findings = unread(present.filter((each) => each !== key));
  const inner = fields.nullableFields(key);
  if (inner !== undefined) return { key, inner, findings };
  // Without its part a class makes one of its own defaults, whatever stands elsewhere in the file.
  return flat ? { findings } : { key, inner: fields.beside({}, fields.at(key)), findings };
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

/** A file that is not a config.json of transformers, by the keys that give it away. */
interface OtherFile {
  /** All of these are there. */
  readonly keys: readonly string[];
  readonly name: string;
  /** What to do, where it is not to give the config.json beside it. */
  readonly instead?: string;
}

const TWIN = 'give the config.json of the same model in the form that transformers reads';

const MLC: OtherFile = Object.freeze({
  keys: ['quantization', 'model_config'],
  name: "MLC-LLM's config",
  instead: TWIN,
});

/** Of two that fit, the first counts. */
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

/** What to do where a config has no model type: most often it is another file. */
export function withoutModelType(root: Fields): string {
  if (root.given('peft_type')) {
    const base = root.raw('base_model_name_or_path');
    const named = typeof base === 'string' && base !== '' ? `, ${show(base)}` : '';
    return `this is the config of an adapter, which has no positions of its own: give that of its base model${named}`;
  }
  const other = OTHER_FILES.find(({ keys }) => keys.every((key) => root.given(key)));
  if (other !== undefined) return looksLike(other);
  return 'the model type decides which keys count; transformers cannot load such a file either';
}
