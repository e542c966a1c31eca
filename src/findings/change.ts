import type { CatalogueEntry } from './types.js';

/** Findings about what moved between two versions of a config; `check --base` reports them. */
export const CHANGE_FINDINGS: readonly CatalogueEntry[] = Object.freeze([
  {
    code: 'RE060',
    kind: 'theta_changed',
    severity: 'warning',
    title: 'base frequency changed',
    message: (a) => `the base${layersOf(a['layers'])} was ${a['was']} and is ${a['found']} now`,
    explanation:
      'Every frequency follows from theta. Weights keep the theta they were trained with; another one is right only together with weights that were trained or tuned with it.',
    affects: 'everyone',
  },
  {
    code: 'RE061',
    kind: 'window_changed',
    severity: 'warning',
    title: 'window changed',
    message: (a) =>
      `the window${layersOf(a['layers'])} was ${a['was']} tokens and is ${a['found']} now`,
    explanation:
      'max_position_embeddings is what the config claims; it trains nothing. Where no original window is given, scalings also take it for the trained window, so that raising it moves their thresholds. The window of sliding or chunked layers says how far they look: a wider one brings distances that they were not trained on, a narrower one hides what they used.',
    affects:
      'everyone; engines also take their maximum length from it, some of them times the factor',
  },
  {
    code: 'RE062',
    kind: 'scaling_changed',
    severity: 'warning',
    title: 'scaling changed',
    message: (a) => `the scaling${layersOf(a['layers'])} was ${a['was']} and is ${a['found']} now`,
    explanation:
      'A static scaling (linear, yarn, ntk, llama3) changes every position, also at lengths that worked before. The gate measures what that costs against the config before the change.',
    affects: 'everyone who reads the block; see docs/engines.md for who ignores what',
  },
  {
    code: 'RE063',
    kind: 'layers_changed',
    severity: 'warning',
    title: 'a kind of layer appeared or went',
    message: (a) => `layers of type ${a['layers']} were ${a['was']} and are ${a['found']} now`,
    explanation:
      'Layer types decide which table a layer uses and how far it looks back. A change here means another model, or a config of another version of transformers.',
    affects: 'everyone',
  },
] satisfies CatalogueEntry[]);

function layersOf(layers: unknown): string {
  return layers === '' || layers === undefined ? '' : ` of ${String(layers)} layers`;
}
