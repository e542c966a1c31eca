import { CLASS_DEFAULTS } from './class-defaults/index.js';
import { fail } from './fail.js';
import { Fields } from './fields.js';
import { isRecord } from './json.js';

/** Keys under which a multimodal or encoder-decoder config keeps its language model. */
const PART_KEYS = [
  'text_config',
  'thinker_config',
  'llm_config',
  'language_config',
  'decoder',
  'decoder_config',
] as const;

/** Language model of composites whose text part names no type of its own. */
const PART_TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    llava: 'llama',
    llava_next: 'llama',
    llava_next_video: 'llama',
    video_llava: 'llama',
    vipllava: 'llama',
    idefics3: 'llama',
    smolvlm: 'llama',
    janus: 'llama',
    deepseek_vl: 'llama',
    deepseek_vl_hybrid: 'llama',
    perception_lm: 'llama',
    voxtral: 'llama',
    glmasr: 'llama',
    idefics2: 'mistral',
    mistral3: 'mistral',
    audioflamingo3: 'qwen2',
    fast_vlm: 'qwen2',
    got_ocr2: 'qwen2',
    internvl: 'qwen2',
    llava_onevision: 'qwen2',
    ovis2: 'qwen2',
    qwen2_audio: 'qwen2',
    video_llama_3: 'qwen2',
    vibevoice: 'qwen2',
    lighton_ocr: 'qwen3',
    qwen3_asr: 'qwen3',
    cosmos3_omni: 'qwen3_vl_text',
    aya_vision: 'cohere2',
    cohere2_vision: 'cohere2',
    fuyu: 'persimmon',
    paligemma: 'gemma',
    shieldgemma2: 'gemma3_text',
    granite_speech: 'granite',
    kimi_k25: 'deepseek_v3',
    lfm2_vl: 'lfm2',
    lfm3_vl: 'lfm3',
    exaone4_5: 'exaone4',
    step3p7: 'step3p5',
    glm46v: 'glm4v_text',
    glmga: 'glm4v_text',
    mllama: 'mllama_text_model',
    emu3: 'emu3_text_model',
    hyperclovax_vision_v2: 'hyperclovax',
    t5gemma: 't5_gemma_module',
    t5gemma2: 't5gemma2_decoder',
    modernvbert: 'modernbert',
    dia: 'dia_decoder',
    pixtral: 'mistral',
    qwen2_5_omni: 'qwen2_5_omni_text',
    qwen3_omni_moe: 'qwen3_omni_moe_text',
    qwen2_5_omni_thinker: 'qwen2_5_omni_text',
    qwen3_omni_moe_thinker: 'qwen3_omni_moe_text',
  }),
);

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
    fail(
      'missing_field',
      'model_type',
      'is missing',
      'the model type decides which keys count; transformers cannot load such a file either',
    );
  }
  return { fields, modelType: resolve(modelType), nested: false, encoder };
}

const MAX_LEVELS = 2;

/** The text class of a composite whose own name has no defaults. */
function resolve(modelType: string): string {
  if (CLASS_DEFAULTS.has(modelType)) return modelType;
  return CLASS_DEFAULTS.has(`${modelType}_text`) ? `${modelType}_text` : modelType;
}
