import { show } from '../json/fail.js';
import type { Fields } from '../json/fields.js';

/** A file that is not a config.json of transformers, by the keys that give it away. */
interface OtherFile {
  /** All of these are there. */
  readonly keys: readonly string[];
  readonly name: string;
  /** What to do, where it is not to give the config.json beside it. */
  readonly instead?: string;
}

const TWIN = 'give the config.json of the same model in the form that transformers reads';

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
  {
    keys: ['model_type', 'quantization', 'context_window_size'],
    name: "MLC-LLM's config",
    instead: TWIN,
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

/** What to do where a config has no model type: most often it is another file. */
export function withoutModelType(root: Fields): string {
  if (root.given('peft_type')) {
    const base = root.raw('base_model_name_or_path');
    const named = typeof base === 'string' && base !== '' ? `, ${show(base)}` : '';
    return `this is the config of an adapter, which has no positions of its own: give that of its base model${named}`;
  }
  const other = OTHER_FILES.find(({ keys }) => keys.every((key) => root.given(key)));
  if (other !== undefined) {
    return `this looks like ${other.name}: ${other.instead ?? 'give the config.json beside it'}`;
  }
  return 'the model type decides which keys count; transformers cannot load such a file either';
}
