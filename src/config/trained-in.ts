import type { RopeType } from '../rope/types.js';

/** One reason to believe that a scaling is part of what the weights were trained with. */
export interface TrainedInRow {
  /** Key that a report cites. */
  readonly key: string;
  readonly ropeType: RopeType;
  /** Model types for which it holds; `any` = whoever writes this rope type. */
  readonly modelTypes: readonly string[] | 'any';
  /** What is known, and where it is written. */
  readonly source: string;
}

/**
 * Which scalings were trained in. Everything else is an overlay: the numbers of a config cannot
 * tell the two apart, and a gate that guessed "trained in" would pass the very edit that it is
 * there to stop. Of two rows that fit, the first counts.
 */
export const TRAINED_IN: readonly TrainedInRow[] = Object.freeze([
  {
    key: 'llama4',
    ropeType: 'llama3',
    modelTypes: ['llama4_text', 'llama4'],
    source:
      "published with Llama 4; Meta's announcement (April 2025) gives 256K tokens of training and " +
      'leaves the rest to length generalisation, so --trained-window 262144 is the cautious reading',
  },
  {
    key: 'llama3',
    ropeType: 'llama3',
    modelTypes: 'any',
    source:
      'the scaling that Llama 3.1 was published with, and later models that took it over; Grattafiori et al. 2024 (arXiv:2407.21783), section 3.4.2: long-context pre-training from 8K to 128K in six stages. The paper does not name the scaling',
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
      'Gemma 3 technical report (arXiv:2503.19786): models are pre-trained on 32K tokens and the global layers scaled to 128K at the end of pre-training, with a factor of 8',
  },
  {
    key: 'hunyuan-alpha',
    ropeType: 'ntk',
    modelTypes: ['hunyuan_v1_dense', 'hunyuan_v1_moe', 'hunyuan_vl_text'],
    source:
      'alpha is published with the weights and its own code reads it; Hunyuan-Large (arXiv:2411.02265) raised the base of RoPE for its long-context training. No paper states the alpha of the smaller models',
  },
  {
    key: 'deepseek-yarn',
    ropeType: 'yarn',
    modelTypes: ['deepseek_v2', 'deepseek_v3', 'deepseek_v32'],
    source:
      'DeepSeek-V2 (arXiv:2405.04434), section 3.1.4: trained further with YaRN; DeepSeek-V3 (arXiv:2412.19437), section 4.3: two phases of training with YaRN, to 32K and to 128K',
  },
  {
    key: 'kimi-yarn',
    ropeType: 'yarn',
    modelTypes: ['kimi_k2', 'kimi_k25'],
    source:
      'Kimi K2 technical report (arXiv:2507.20534): YaRN extends the window to 128K after a stage on 32K; how much was trained with it is not stated',
  },
  {
    key: 'gpt-oss-yarn',
    ropeType: 'yarn',
    modelTypes: ['gpt_oss', 'openai_privacy_filter'],
    source:
      'gpt-oss model card (arXiv:2508.10925): the context of the dense layers is extended to 131,072 tokens with YaRN; the block is the default of the class',
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
    source:
      'published with the weights, and the default of the class in transformers 5; no paper was used',
  },
] satisfies readonly TrainedInRow[]);

/** The row for a rope type and a model type, if there is evidence. */
export function trainedInRow(ropeType: RopeType, modelType: string): TrainedInRow | undefined {
  return TRAINED_IN.find(
    (row) =>
      row.ropeType === ropeType && (row.modelTypes === 'any' || row.modelTypes.includes(modelType)),
  );
}
