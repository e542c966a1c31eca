import { effectiveTheta, scalingBlock } from '../../rope/registry.js';
import { coverageNotes, isUnchanged } from '../lengths.js';
import type { Answer, EmitInput, Emitter } from '../types.js';

/** Writes ollama's Modelfile, which has a context length but no option for a scaling. */
export const ollama: Emitter = Object.freeze({
  aliases: [],
  emit: (input: EmitInput): Answer => {
    const { length } = input;
    if (!isUnchanged(input)) {
      const { rope } = input.groups[0];
      const what = scalingBlock(rope)?.['rope_type'] ?? `a theta of ${effectiveTheta(rope)}`;
      return {
        ok: false,
        reason: `ollama has no option for ${String(what)}; it runs what the GGUF holds`,
        instead: `Patch config.json (emit … --engine hf --write), convert it to GGUF again, import that (FROM ./MODEL.gguf) and set num_ctx ${length}; or serve the GGUF with llama-server (--engine llama.cpp).`,
      };
    }
    return {
      ok: true,
      settings: [
        {
          title: 'Modelfile',
          versions: 'ollama, every version',
          kind: 'file',
          text: `FROM ./MODEL.gguf\nPARAMETER num_ctx ${length}`,
        },
      ],
      notes: [
        {
          kind: 'needs',
          text: `num_ctx ${length} is needed: without it ollama serves a few thousand tokens, and cuts longer prompts without a word.`,
        },
        ...coverageNotes(input),
      ],
    };
  },
});
