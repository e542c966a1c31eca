import type { RopeType } from '../rope/types.js';

/** One reason to believe that a scaling is part of what the weights were trained with. */
export interface TrainedInRow {
  /** Key that a report cites. */
  readonly key: string;
  readonly ropeType: RopeType;
  /** Model types for which it holds; `any` = whoever writes this rope type. */
  readonly modelTypes: readonly string[] | 'any';
  readonly source: string;
}

/**
 * Which scalings were trained in. Everything else is an overlay: the numbers of a config cannot
 * tell the two apart, and a gate that guessed "trained in" would pass the very edit that it is
 * there to stop.
 */
export const TRAINED_IN: readonly TrainedInRow[] = Object.freeze([
  {
    key: 'llama3',
    ropeType: 'llama3',
    modelTypes: 'any',
    source:
      'Grattafiori et al. 2024 (arXiv:2407.21783), section 3.4.2: long-context pre-training from 8K to 128K in six stages; published with Llama 3.1 and after',
  },
  {
    key: 'longrope',
    ropeType: 'longrope',
    modelTypes: 'any',
    source:
      'Ding et al. 2024 (arXiv:2402.13753): the factors are searched for one model, which is then fine-tuned with them; Phi-3 technical report (arXiv:2404.14219)',
  },
  {
    key: 'proportional',
    ropeType: 'proportional',
    modelTypes: 'any',
    source: 'Gemma 4 model classes in transformers 5: the zero tail is part of the architecture',
  },
  {
    key: 'gemma3-linear',
    ropeType: 'linear',
    modelTypes: ['gemma3_text', 'gemma3'],
    source:
      'Gemma 3 technical report (arXiv:2503.19786), section 2: global layers rescaled by 8 at the end of pre-training',
  },
  {
    key: 'hunyuan-alpha',
    ropeType: 'ntk',
    modelTypes: ['hunyuan_v1_dense', 'hunyuan_v1_moe', 'hunyuan_vl_text'],
    source:
      'Tencent Hunyuan model classes and configs: alpha is published with the weights, and long-context training used it (Hunyuan-Large, arXiv:2411.02265)',
  },
  {
    key: 'deepseek-yarn',
    ropeType: 'yarn',
    modelTypes: ['deepseek_v2', 'deepseek_v3', 'deepseek_v32'],
    source:
      'DeepSeek-V2 (arXiv:2405.04434), section 3.1.4, and DeepSeek-V3 (arXiv:2412.19437), section 4.3: two phases of training with YaRN',
  },
  {
    key: 'kimi-yarn',
    ropeType: 'yarn',
    modelTypes: ['kimi_k2', 'kimi_k25'],
    source: 'Kimi K2 (arXiv:2507.20534): YaRN applied in the long-context stage of pre-training',
  },
  {
    key: 'gpt-oss-yarn',
    ropeType: 'yarn',
    modelTypes: ['gpt_oss', 'openai_privacy_filter'],
    source: 'gpt-oss model card (arXiv:2508.10925): dense layers extended to 131072 with YaRN',
  },
  {
    key: 'olmo3-yarn',
    ropeType: 'yarn',
    modelTypes: ['olmo3'],
    source:
      'Olmo 3 technical report (Ai2, 2025): long-context extension stage with YaRN on full-attention layers',
  },
  {
    key: 'ministral3-yarn',
    ropeType: 'yarn',
    modelTypes: ['ministral3', 'mistral4', 'mistral_large4_text'],
    source: 'Ministral 3 model class in transformers 5: YaRN is the default of the class',
  },
] satisfies readonly TrainedInRow[]);

/** The row for a rope type and a model type, if there is evidence. */
export function trainedInRow(ropeType: RopeType, modelType: string): TrainedInRow | undefined {
  return TRAINED_IN.find(
    (row) =>
      row.ropeType === ropeType && (row.modelTypes === 'any' || row.modelTypes.includes(modelType)),
  );
}
