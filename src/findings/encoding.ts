import { ENCODING_NAMES, ENCODINGS } from '../encodings/registry.js';
import { entry } from './entry.js';

/** Findings about models with another position encoding than RoPE. */
export const ENCODING_FINDINGS = Object.freeze({
  encoding_twin: entry({
    code: 'RE037',
    severity: 'notice',
    title: 'how its position encoding takes longer contexts on a small model',
    args: {
      twin: ENCODING_NAMES,
      window: 'number',
      facts: 'numbersByKey',
      rope: 'numbersByKey',
      entries: 'number?',
    },
    message: (a) => {
      const { title } = ENCODINGS[a.twin];
      const end = a.entries === undefined ? '' : ` (no entry beyond position ${a.entries})`;
      return (
        `a small model with this encoding (${title}), trained on ${a.window} tokens, finds ` +
        `${shares(a.facts)} of that window${end}; the same model with unscaled RoPE finds ${shares(a.rope)}`
      );
    },
    explanation:
      'The bundled probe model has twins that differ in their position encoding alone, trained on from its weights. The row of the twin shows how that encoding takes lengths beyond its training; it says nothing about the accuracy of this model, whose size and training differ. `rope-eval encodings` shows all of them.',
    affects: 'this tool',
  }),
});

/** `99 % of the facts at 1x`, then the shares at the other window multiples. */
function shares(facts: Readonly<Record<string, number>>): string {
  return Object.entries(facts)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([multiple, share], i) => {
      const what = i === 0 ? 'of the facts ' : '';
      return `${Math.round(share * 100)} % ${what}at ${multiple}x`;
    })
    .join(', ');
}
