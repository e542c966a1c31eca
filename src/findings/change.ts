import { entry } from './entry.js';

const PRESENCE = ['present', 'absent'] as const;

/** Findings about what moved between two versions of a config; `check --base` reports them. */
export const CHANGE_FINDINGS = Object.freeze({
  theta_changed: entry({
    code: 'RE060',
    severity: 'warning',
    title: 'base frequency changed',
    args: { found: 'number', was: 'number', layers: 'string' },
    message: (a) => `the base${layersOf(a.layers)} was ${a.was} and is ${a.found} now`,
    explanation:
      'Every frequency follows from theta. Weights keep the theta they were trained with; another one is right only together with weights that were trained or tuned with it.',
    affects: 'everyone',
  }),
  window_changed: entry({
    code: 'RE061',
    severity: 'warning',
    title: 'window changed',
    args: { found: 'number', was: 'number', layers: 'string' },
    message: (a) => `the window${layersOf(a.layers)} was ${a.was} tokens and is ${a.found} now`,
    explanation:
      'max_position_embeddings is what the config claims; it trains nothing. Where no original window is given, scalings also take it for the trained window, so that raising it moves their thresholds. The window of sliding or chunked layers says how far they look: a wider one brings distances that they were not trained on, a narrower one hides what they used.',
    affects:
      'everyone; engines also take their maximum length from it, some of them times the factor',
  }),
  scaling_changed: entry({
    code: 'RE062',
    severity: 'warning',
    title: 'scaling changed',
    args: { found: 'string', was: 'string', layers: 'string' },
    message: (a) => `the scaling${layersOf(a.layers)} was ${a.was} and is ${a.found} now`,
    explanation:
      'A static scaling (linear, yarn, ntk, llama3) changes every position, also at lengths that worked before. The gate measures what that costs against the config before the change.',
    affects: 'everyone who reads the block; see docs/engines.md for who ignores what',
  }),
  layers_changed: entry({
    code: 'RE063',
    severity: 'warning',
    title: 'a kind of layer appeared or went',
    args: { found: PRESENCE, was: PRESENCE, layers: 'string' },
    message: (a) => `layers of type ${a.layers} were ${a.was} and are ${a.found} now`,
    explanation:
      'Layer types decide which table a layer uses and how far it looks back. A change here means another model, or a config of another version of transformers.',
    affects: 'everyone',
  }),
});

/** '' where a model has one kind of layers. */
const layersOf = (layers: string): string => (layers === '' ? '' : ` of ${layers} layers`);
