import { type EncodingName, ENCODINGS } from '../encodings/registry.js';
import type { CatalogueEntry } from './types.js';

/** Findings about models with another position encoding than RoPE. */
export const ENCODING_FINDINGS: readonly CatalogueEntry[] = Object.freeze([
  {
    code: 'RE037',
    kind: 'encoding_twin',
    severity: 'notice',
    title: 'how its position encoding fares on a small model',
    message: (a) => {
      const { title } = ENCODINGS[a['twin'] as EncodingName];
      const end = a['entries'] === undefined ? '' : ` (no entry beyond position ${a['entries']})`;
      return (
        `has a twin: a small model whose position encoding is ${title}, trained on ${a['window']} tokens, finds ` +
        `${shares(a['facts'])} of that window${end}; the same with unscaled RoPE ${shares(a['rope'])}`
      );
    },
    explanation:
      'The bundled probe model has twins that differ in their position encoding alone, trained on from its weights. The row of the twin shows how that encoding takes lengths beyond its training; it says nothing about the accuracy of this model, whose size and training differ. `rope-eval encodings` shows all of them.',
    affects: 'this tool',
  },
] satisfies CatalogueEntry[]);

/** `1x 0.99` → `99 % of the facts at 1x`, the others after it. */
function shares(list: unknown): string {
  const items = Array.isArray(list) ? (list as string[]) : [];
  return items
    .map((item, i) => {
      const [length, share] = item.split(' ');
      return `${Math.round(Number(share) * 100)} % ${i === 0 ? 'of the facts ' : ''}at ${length}`;
    })
    .join(', ');
}
