import type { CatalogueEntry } from './types.js';

/** Findings about the values inside a scaling block. */
export const BLOCK_FINDINGS: readonly CatalogueEntry[] = Object.freeze([
  {
    code: 'RE001',
    kind: 'factor_below_one',
    severity: 'warning',
    title: 'factor below 1',
    message: (a) => `factor ${a['factor']} shortens the window; a factor is at least 1`,
    explanation:
      'A factor is target length / original length. Below 1 the frequencies become faster than the model was trained with, so positions inside the trained window fall on angles the model has not seen. transformers logs a warning and goes on. Often the ratio was turned upside down: 8192 / 32768 instead of 32768 / 8192.',
    affects: 'transformers computes it; vLLM and SGLang do too',
  },
  {
    code: 'RE002',
    kind: 'missing_rope_type',
    severity: 'warning',
    title: 'scaling without a type',
    message: (a) =>
      `has ${String(a['keys'])} but no rope_type, so it is read as "default" and nothing is scaled; add "rope_type"`,
    explanation:
      'A block needs `rope_type` (or the older `type`). Without it transformers takes "default", logs that the other keys are not recognised, and runs the model unscaled. The window looks longer in the config and is not.',
    affects: 'transformers, and engines that use its config classes',
  },
  {
    code: 'RE003',
    kind: 'zero_width_band',
    severity: 'warning',
    title: 'low and high frequency factor are equal',
    message: (a) =>
      `low_freq_factor and high_freq_factor are both ${a['value']}: pairs are either kept or slowed, with no band between`,
    explanation:
      'llama3 scaling blends pairs whose turns over the original window lie between the two factors. With equal factors the band has no width. The result is finite (Llama 4 Scout is published like this); an implementation that divides by their difference without a guard gets 0 / 0.',
    affects: 'everyone; transformers warns',
  },
  {
    code: 'RE004',
    kind: 'original_not_below_max',
    severity: 'warning',
    title: 'original window is not below the maximum',
    message: (a) =>
      `${a['original']} is not below max_position_embeddings ${a['max']}, so the block extends nothing on paper`,
    explanation:
      'The original window is the one the model was trained on before the extension, and max_position_embeddings the one after. When the first is not smaller, one of the two is wrong. The frequencies are still scaled.',
    affects: 'transformers warns and computes',
  },
  {
    code: 'RE005',
    kind: 'original_missing',
    severity: 'warning',
    title: 'original window is missing',
    message: (a) =>
      `is not given: max_position_embeddings ${a['max']} is taken for it, which moves every threshold of ${a['type']}; write the window before the extension`,
    explanation:
      'yarn, llama3 and longrope place their thresholds by the window the model was trained on. Without `original_max_position_embeddings` transformers silently uses max_position_embeddings. If that number is already the extended one, pairs that should be slowed are kept.',
    affects: 'transformers; vLLM refuses some of these configs',
  },
  {
    code: 'RE006',
    kind: 'original_above_max',
    severity: 'warning',
    title: 'original window is above the maximum',
    message: (a) => `${a['original']} is above max_position_embeddings ${a['max']}`,
    explanation:
      'The model was not trained on more tokens than it may see now. Usually max_position_embeddings was not raised, or the two numbers were exchanged.',
    affects:
      'transformers computes; engines that take max_position_embeddings as the limit cut requests there',
  },
  {
    code: 'RE007',
    kind: 'factor_mismatch',
    severity: 'warning',
    title: 'factor contradicts max / original',
    message: (a) =>
      `factor ${a['factor']} is used, but max_position_embeddings / original window = ${a['max']} / ${a['original']} = ${a['ratio']}`,
    explanation:
      'YaRN scales by `factor` alone; the ratio of the two windows only says what was intended. With a factor below the ratio the last part of the window is out of range; above it, resolution is given away for nothing.',
    affects:
      'transformers uses the factor and warns; vLLM derives its limit from factor x original',
  },
  {
    code: 'RE008',
    kind: 'beta_order',
    severity: 'warning',
    title: 'beta_fast is below beta_slow',
    message: (a) =>
      `beta_fast ${a['fast']} is below beta_slow ${a['slow']}; the usual values are 32 and 1`,
    explanation:
      'Pairs that turn more than beta_fast times over the original window are kept, pairs that turn less than beta_slow times are slowed by the whole factor. Exchanged, the ramp runs backwards: fast pairs are slowed and slow ones kept.',
    affects: 'everyone who reads the block',
  },
  {
    code: 'RE009',
    kind: 'unknown_key',
    severity: 'warning',
    title: 'key is not read',
    message: (a) =>
      `is not a key of ${a['type']} RoPE and is ignored${a['suggestion'] ? `; did you mean "${a['suggestion']}"?` : ''}`,
    explanation:
      'transformers reads a fixed set of keys for each rope type and logs the others as unrecognised. A misspelt key, or one that belongs to another engine (`attn_factor` is written by some tools, `attention_factor` is read), has no effect.',
    affects: 'transformers; another engine may read the key',
  },
  {
    code: 'RE010',
    kind: 'mscale_alone',
    severity: 'warning',
    title: 'one mscale without the other',
    message: (a) => `${a['given']} counts only together with ${a['missing']}, and is ignored`,
    explanation:
      'The attention scaling uses mscale and mscale_all_dim as numerator and denominator. If either is missing or 0, transformers falls back to 0.1 ln(factor) + 1 and does not say so.',
    affects: 'transformers; DeepSeek-style engines',
  },
  {
    code: 'RE011',
    kind: 'implicit_factor',
    severity: 'warning',
    title: 'factor is null',
    message: (a) => `is null: max_position_embeddings / original window = ${a['factor']} is used`,
    explanation:
      'With a null factor transformers computes it from the two windows. Write the number: other engines stop here.',
    affects: 'transformers computes; vLLM and SGLang fail',
  },
  {
    code: 'RE012',
    kind: 'type_not_applied',
    severity: 'warning',
    title: 'legacy type key has no effect here',
    message: (a) =>
      `"type": "${a['type']}" is not applied to a ${a['model']} model, whose blocks start with rope_type "default"; write "rope_type"`,
    explanation:
      'Classes with one block per layer type merge a legacy `rope_scaling` into a block that already says rope_type "default". `rope_type` beats `type`, so a block that only has `type` scales nothing.',
    affects: 'transformers 5',
  },
  {
    code: 'RE013',
    kind: 'compat',
    severity: 'warning',
    title: 'read as longrope',
    message: (a) => `"${a['type']}" is read as longrope`,
    explanation:
      'Phi-3 files were published with type "su" or "yarn" for what is now called longrope. transformers 5.23 stops at such a file if `original_max_position_embeddings` stands only outside the block; older versions, and this tool, read it.',
    affects: 'Phi-3 family; transformers 5.23 may fail, vLLM reads it',
  },
  {
    code: 'RE014',
    kind: 'original_unused',
    severity: 'notice',
    title: 'original window is not read',
    message: (a) => `${a['type']} RoPE does not read it; its boundary is max_position_embeddings`,
    explanation:
      'linear, dynamic and default RoPE have no threshold that depends on the original window. For dynamic the boundary is max_position_embeddings: if that number was raised too, scaling starts only beyond the raised window.',
    affects: 'transformers',
  },
  {
    code: 'RE015',
    kind: 'truncate_ignored',
    severity: 'notice',
    title: 'truncate is not read in a nested block',
    message: () => 'is read from a flat block only; the ramp is truncated here',
    explanation:
      'transformers looks for `truncate` in the outer dictionary, so inside a block for one layer type it has no effect.',
    affects: 'transformers 5',
  },
] satisfies CatalogueEntry[]);
