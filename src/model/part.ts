import { fail, show } from '../json/fail.js';
import { Fields } from '../json/fields.js';
import { isRecord } from '../json/parse.js';
import { CLASS_DEFAULTS } from './class-defaults/index.js';

/** Language model of composites whose text part names no type of its own, as their classes have it. */
export const PART_TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    audioflamingo3: 'qwen2',
    aya_vision: 'cohere2',
    'blip-2': 'opt',
    blt: 'blt_local_decoder',
    cohere2_vision: 'cohere2',
    cosmos3_omni: 'qwen3_vl_text',
    deepseek_vl: 'llama',
    deepseek_vl_hybrid: 'llama',
    dia: 'dia_decoder',
    emu3: 'emu3_text_model',
    'encoder-decoder': 'bert',
    exaone4_5: 'exaone4',
    fast_vlm: 'qwen2',
    florence2: 'bart',
    fun_asr_nano: 'qwen3',
    fuyu: 'persimmon',
    gemma4_assistant: 'gemma4_text',
    gemma4_unified_assistant: 'gemma4_unified_text',
    glm46v: 'glm4v_text',
    glmasr: 'llama',
    glmga: 'glm4v_text',
    got_ocr2: 'qwen2',
    granite_speech: 'granite',
    granite_speech_plus: 'granite',
    'grounding-dino': 'bert',
    hyperclovax_vision_v2: 'hyperclovax',
    idefics2: 'mistral',
    idefics3: 'llama',
    instructblip: 'opt',
    instructblipvideo: 'opt',
    internvl: 'qwen2',
    janus: 'llama',
    jev: 'qwen3_5_text',
    kimi_k25: 'deepseek_v3',
    lfm2_vl: 'lfm2',
    lfm3_vl: 'lfm3',
    lighton_ocr: 'qwen3',
    llava: 'llama',
    llava_next: 'llama',
    llava_next_video: 'llama',
    llava_onevision: 'qwen2',
    minicpm_ocr: 'qwen3_5_text',
    minicpmv4_6: 'qwen3_5_text',
    minicpmv4_7: 'qwen3_5_text',
    mistral3: 'mistral',
    mllama: 'mllama_text_model',
    'mm-grounding-dino': 'bert',
    modernvbert: 'modernbert',
    moss_transcribe_diarize: 'qwen3',
    musicflamingo: 'qwen2',
    nemo_speechlm: 'nemotron_h',
    nemotron_h_omni: 'nemotron_h',
    ovis2: 'qwen2',
    paligemma: 'gemma',
    pe_audio: 'modernbert',
    pe_audio_video: 'modernbert',
    pe_video: 'modernbert',
    perception_lm: 'llama',
    pp_chart2table: 'qwen2',
    qianfan_ocr: 'qwen3',
    qwen2_5_omni: 'qwen2_5_omni_text',
    qwen2_5_omni_thinker: 'qwen2_5_omni_text',
    qwen2_audio: 'qwen2',
    qwen3_asr: 'qwen3',
    qwen3_omni_moe: 'qwen3_omni_moe_text',
    qwen3_omni_moe_thinker: 'qwen3_omni_moe_text',
    shieldgemma2: 'gemma3_text',
    smolvlm: 'llama',
    'speech-encoder-decoder': 'bert',
    step3p7: 'step3p5',
    t5gemma: 't5_gemma_module',
    t5gemma2: 't5gemma2_decoder',
    t5gemma2_encoder: 't5gemma2_text',
    ultravbert: 'ultrabert',
    vibevoice: 'qwen2',
    vibevoice_asr: 'qwen2',
    video_llama_3: 'qwen2',
    video_llava: 'llama',
    vipllava: 'llama',
    'vision-encoder-decoder': 'bert',
    'vision-text-dual-encoder': 'bert',
    voxtral: 'llama',
  }),
);

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
