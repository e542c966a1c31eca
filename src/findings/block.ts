import { entry } from './entry.js';

/** Findings about the values inside a scaling block. */
export const BLOCK_FINDINGS = Object.freeze({
  factor_below_one: entry({
    code: 'RE001',
    severity: 'warning',
    title: 'factor below 1',
    args: { factor: 'number' },
    message: (a) => `factor ${a.factor} shortens the window; a factor is at least 1`,
    explanation:
      'A factor is target length / original length. Below 1 the frequencies become faster than the model was trained with, so positions inside the trained window fall on angles the model has not seen. transformers logs a warning and goes on. Often the ratio was turned upside down: 8192 / 32768 instead of 32768 / 8192.',
    affects: 'transformers computes it; vLLM and SGLang do too',
  }),
  missing_rope_type: entry({
    code: 'RE002',
    severity: 'warning',
    title: 'scaling without a type',
    args: { keys: 'strings', type: 'string' },
    message: (a) =>
      `has ${a.keys.join(', ')} but no rope_type, so it is read as "default" and nothing is scaled; add "rope_type"`,
    explanation:
      'A block needs `rope_type` (or the older `type`). Without it transformers takes "default", logs that the other keys are not recognised, and runs the model unscaled. The window looks longer in the config and is not.',
    affects: 'transformers, and engines that use its config classes',
  }),
  zero_width_band: entry({
    code: 'RE003',
    severity: 'warning',
    title: 'low and high frequency factor are equal',
    args: { value: 'number' },
    message: (a) =>
      `low_freq_factor and high_freq_factor are both ${a.value}: pairs are either kept or slowed, with no band between`,
    explanation:
      'llama3 scaling blends pairs whose turns over the original window lie between the two factors. With equal factors the band has no width. The result is finite (Llama 4 Scout is published like this); an implementation that divides by their difference without a guard gets 0 / 0.',
    affects: 'everyone; transformers warns',
  }),
  original_not_below_max: entry({
    code: 'RE004',
    severity: 'warning',
    title: 'original window is not below the maximum',
    args: { original: 'number', max: 'number' },
    message: (a) =>
      `${a.original} is not below max_position_embeddings ${a.max}, so the block extends nothing on paper`,
    explanation:
      'The original window is the one the model was trained on before the extension, and max_position_embeddings the one after. When the first is not smaller, one of the two is wrong. The frequencies are still scaled.',
    affects: 'transformers warns and computes',
  }),
  original_missing: entry({
    code: 'RE005',
    severity: 'warning',
    title: 'original window is missing',
    args: { max: 'number', type: 'string' },
    message: (a) =>
      `is missing, so max_position_embeddings ${a.max} is used, which moves every threshold of ${a.type}; write the window from before the extension`,
    explanation:
      'yarn, llama3 and longrope place their thresholds by the window the model was trained on. Without `original_max_position_embeddings` transformers silently uses max_position_embeddings. If that number is already the extended one, pairs that should be slowed are kept.',
    affects: 'transformers; vLLM refuses some of these configs',
  }),
  original_above_max: entry({
    code: 'RE006',
    severity: 'warning',
    title: 'original window is above the maximum',
    args: { original: 'number', max: 'number' },
    message: (a) => `${a.original} is above max_position_embeddings ${a.max}`,
    explanation:
      'The model was not trained on more tokens than it may see now. Usually max_position_embeddings was not raised, or the two numbers were exchanged.',
    affects:
      'transformers computes; engines that take max_position_embeddings as the limit cut requests there',
  }),
  factor_mismatch: entry({
    code: 'RE007',
    severity: 'warning',
    title: 'factor contradicts max / original',
    args: { factor: 'number', max: 'number', original: 'number', ratio: 'number' },
    message: (a) =>
      `factor ${a.factor} is used, but max_position_embeddings / original window = ${a.max} / ${a.original} = ${a.ratio}`,
    explanation:
      'YaRN scales by `factor` alone; the ratio of the two windows only says what was intended. With a factor below the ratio the last part of the window is out of range; above it, resolution is given away for nothing.',
    affects:
      'transformers uses the factor and warns; vLLM derives its limit from factor x original',
  }),
  beta_order: entry({
    code: 'RE008',
    severity: 'warning',
    title: 'beta_fast is below beta_slow',
    args: { fast: 'number', slow: 'number' },
    message: (a) =>
      `beta_fast ${a.fast} is below beta_slow ${a.slow}; the usual values are 32 and 1`,
    explanation:
      'Pairs that turn more than beta_fast times over the original window are kept, pairs that turn less than beta_slow times are slowed by the whole factor. Exchanged, the ramp runs backwards: fast pairs are slowed and slow ones kept.',
    affects: 'everyone who reads the block',
  }),
  unknown_key: entry({
    code: 'RE009',
    severity: 'warning',
    title: 'key is not read',
    args: { type: 'string', suggestion: 'string?' },
    message: (a) =>
      `is not a key of ${a.type} RoPE and is ignored${a.suggestion ? `; did you mean "${a.suggestion}"?` : ''}`,
    explanation:
      'transformers reads a fixed set of keys for each rope type and logs the others as unrecognised. A misspelt key, or one that belongs to another engine (`attn_factor` is written by some tools, `attention_factor` is read), has no effect.',
    affects: 'transformers; another engine may read the key',
  }),
  mscale_alone: entry({
    code: 'RE010',
    severity: 'warning',
    title: 'one mscale without the other',
    args: { given: 'string', missing: 'string' },
    message: (a) => `${a.given} counts only together with ${a.missing}, and is ignored`,
    explanation:
      'The attention scaling uses mscale and mscale_all_dim as numerator and denominator. If either is missing or 0, transformers falls back to 0.1 ln(factor) + 1 and does not say so.',
    affects: 'transformers; DeepSeek-style engines',
  }),
  implicit_factor: entry({
    code: 'RE011',
    severity: 'warning',
    title: 'factor is null',
    args: { factor: 'number' },
    message: (a) => `is null, so max_position_embeddings / original window = ${a.factor} is used`,
    explanation:
      'With a null factor transformers computes it from the two windows. Write the number: other engines stop here.',
    affects: 'transformers computes; vLLM and SGLang fail',
  }),
  type_not_applied: entry({
    code: 'RE012',
    severity: 'warning',
    title: 'legacy type key has no effect here',
    args: { type: 'string', model: 'string' },
    message: (a) =>
      `"type": "${a.type}" is not applied to a ${a.model} model, whose blocks start with rope_type "default"; write "rope_type"`,
    explanation:
      'Classes with one block per layer type merge a legacy `rope_scaling` into a block that already says rope_type "default". `rope_type` beats `type`, so a block that only has `type` scales nothing.',
    affects: 'transformers 5',
  }),
  compat: entry({
    code: 'RE013',
    severity: 'warning',
    title: 'read as longrope',
    args: { type: 'string' },
    message: (a) => `"${a.type}" is read as longrope`,
    explanation:
      'Phi-3 files were published with type "su" or "yarn" for what is now called longrope. transformers 5.23 stops at such a file if `original_max_position_embeddings` stands only outside the block; older versions, and this tool, read it.',
    affects: 'Phi-3 family; transformers 5.23 may fail, vLLM reads it',
  }),
  original_unused: entry({
    code: 'RE014',
    severity: 'notice',
    title: 'original window is not read',
    args: { type: 'string' },
    message: (a) => `${a.type} RoPE does not read it; its boundary is max_position_embeddings`,
    explanation:
      'linear, dynamic and default RoPE have no threshold that depends on the original window. For dynamic the boundary is max_position_embeddings: if that number was raised too, scaling starts only beyond the raised window.',
    affects: 'transformers',
  }),
  truncate_ignored: entry({
    code: 'RE015',
    severity: 'notice',
    title: 'truncate is not read in a nested block',
    args: {},
    message: () => 'is read from a flat block only; the ramp is truncated here',
    explanation:
      'transformers looks for `truncate` in the outer dictionary, so inside a block for one layer type it has no effect.',
    affects: 'transformers 5',
  }),
});
