import type { CatalogueEntry } from './types.js';

/** Findings about candidates and the reference. */
export const CANDIDATE_FINDINGS: readonly CatalogueEntry[] = Object.freeze([
  {
    code: 'RE050',
    kind: 'trained_scaling_discarded',
    severity: 'warning',
    title: 'candidate drops a scaling the weights were trained with',
    message: (a) =>
      `${a['candidate']} replaces the ${a['trained']} scaling that the weights were trained with`,
    explanation:
      'A config holds one scaling block. Writing a new one over a trained-in llama3, longrope, yarn or linear block puts all frequencies back to the base ones before scaling them, so the model changes also at lengths that worked. The comparison is against the trained frequencies and shows that cost.',
    affects: 'everyone: no config format can stack two scalings',
  },
  {
    code: 'RE051',
    kind: 'candidate_reaches_local_layers',
    severity: 'notice',
    title: 'candidate also reaches local layers',
    message: (a) =>
      `${a['candidate']} also stretches ${a['layers']} ${a['span']} layers that see at most ${a['window']} tokens`,
    explanation:
      'This model type has one block for all layers, so a scaling meant for the global layers reaches the sliding-window or chunked ones too, where it can only lose.',
    affects: 'every engine that applies one block to all layers',
  },
  {
    code: 'RE057',
    kind: 'attention_scaling_on_part',
    severity: 'notice',
    title: 'attention scaling multiplies a part of each head',
    message: (a) =>
      `${a['candidate']} multiplies by ${a['scaling']} only the ${a['percent']} % of each head that rotates, ` +
      'so that position gains weight against content; an attention_factor of 1 leaves the balance',
    explanation:
      'The attention scaling of YaRN and longrope multiplies cosines and sines. Where the whole head rotates, that is a softmax temperature, which is what it is meant to be. Where a part does, position gains weight against content: on the probe model for c 0.38 with a quarter rotating, yarn:4 finds 85 % of the facts within the trained window, where the same multiplier on the whole head finds 99 %, and so does by-parts:4 (docs/validation.md). by-parts:4 is yarn:4 with attention_factor 1.',
    affects: 'engines that multiply cosines and sines: transformers, vLLM, llama.cpp',
  },
  {
    code: 'RE055',
    kind: 'target_raised',
    severity: 'notice',
    title: 'target raised to what the probe can tell from the trained window',
    message: (a) =>
      `the target of ${a['asked']} tokens is too near to the trained window of ${a['window']}; ` +
      `${a['target']} tokens are probed instead`,
    explanation:
      'The probe models have a window of 256 tokens. Questions at the window and at a target less than a tenth beyond it would fall on the same tokens, so that the next length that can be told apart is probed: what holds there also holds at the target.',
    affects: 'rope-eval only',
  },
] satisfies CatalogueEntry[]);
