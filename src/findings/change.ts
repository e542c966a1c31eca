import { type ArgSpec, entry, type FindingEntry } from './entry.js';

const PRESENCE = ['present', 'absent'] as const;

/** A change that no probe measures. It is an error, because nothing else would fail it. */
function unmeasured<const Code extends `RE${number}`, const S extends ArgSpec>(
  change: Omit<FindingEntry<Code, S>, 'severity' | 'affects'>,
): FindingEntry<Code, S> {
  return entry({ severity: 'error', affects: 'everyone', ...change });
}

/** Findings about what changed between two versions of a config; `check --base` reports them. */
export const CHANGE_FINDINGS = Object.freeze({
  theta_changed: entry({
    code: 'RE060',
    severity: 'warning',
    title: 'base frequency changed',
    args: { found: 'number', was: 'number', layers: 'string' },
    message: (a) => `theta${layersOf(a.layers)} was ${a.was} and is now ${a.found}`,
    explanation:
      'Every frequency follows from theta. Weights keep the theta they were trained with; another one is right only together with weights that were trained or tuned with it.',
    affects: 'everyone',
  }),
  window_changed: entry({
    code: 'RE061',
    severity: 'warning',
    title: 'window changed',
    args: { found: 'number', was: 'number', layers: 'string' },
    message: (a) => `the window${layersOf(a.layers)} was ${a.was} tokens and is now ${a.found}`,
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
    message: (a) => `the scaling${layersOf(a.layers)} was ${a.was} and is now ${a.found}`,
    explanation:
      'A static scaling (linear, yarn, ntk, llama3) changes every position, also at lengths that worked before. The gate measures what that costs against the config before the change.',
    affects: 'everyone who reads the block; see docs/engines.md for who ignores what',
  }),
  layers_changed: unmeasured({
    code: 'RE063',
    title: 'layer type added or removed',
    args: { found: PRESENCE, was: PRESENCE, layers: 'string' },
    message: (a) => `layers of type ${a.layers} were ${a.was} and are now ${a.found}`,
    explanation:
      'Layer types decide which table a layer uses and how far it looks back. A change here means another model, or a config of another version of transformers.',
  }),
  window_lowered: unmeasured({
    code: 'RE064',
    title: 'window lowered',
    args: { found: 'number', was: 'number' },
    message: (a) =>
      `the window was ${a.was} tokens and is ${a.found} now: requests of more than ${a.found} tokens, which were served, are refused or cut`,
    explanation:
      'max_position_embeddings is the length that engines serve. Weights that saw more tokens lose nothing by a smaller number, but whoever sends longer requests does, and no probe measures a request that is refused.',
  }),
  lost_positions: unmeasured({
    code: 'RE065',
    title: 'layers lost their position encoding',
    args: { layers: 'string' },
    message: (a) => `layers ${a.layers} rotated queries and keys and do not any more`,
    explanation:
      'Weights that were trained with RoPE cannot tell positions without it. Which layers rotate is fixed by training (no_rope_layers, no_rope_layer_interval, layer_types).',
  }),
  gained_positions: unmeasured({
    code: 'RE066',
    title: 'layers gained a position encoding',
    args: { layers: 'string' },
    message: (a) => `layers ${a.layers} had no positions and rotate queries and keys now`,
    explanation:
      'Weights of a layer without positions (NoPE) were trained without RoPE. No probe measures what rotating them does.',
  }),
  lost_global_view: unmeasured({
    code: 'RE067',
    title: 'layers lost their view of the whole context',
    args: { layers: 'string', window: 'number' },
    message: (a) =>
      `layers ${a.layers} saw the whole context and look back over ${a.window} tokens now: what lies farther back is lost to them`,
    explanation:
      'A sliding or chunked window hides everything behind it, at every length. That no distance beyond the window occurs any more is no reason to pass: the tokens there are not read at all.',
  }),
  gained_global_view: unmeasured({
    code: 'RE068',
    title: 'local layers see the whole context',
    args: { layers: 'string', window: 'number' },
    message: (a) =>
      `layers ${a.layers} looked back over ${a.window} tokens and see the whole context now`,
    explanation:
      'Weights of a local layer were trained on distances inside its window. The probes measure such a layer inside of it alone, so nothing says what the longer distances do.',
  }),
  local_window_changed: unmeasured({
    code: 'RE069',
    title: 'window of local layers changed',
    args: { layers: 'string', found: 'number', was: 'number' },
    message: (a) => `the window of layers ${a.layers} was ${a.was} tokens and is now ${a.found}`,
    explanation:
      'A narrower window hides what the weights used; a wider one brings distances that they were not trained on. Neither is measured.',
  }),
  layer_types_changed: unmeasured({
    code: 'RE080',
    title: 'layers changed their type',
    args: { layers: 'string' },
    message: (a) => `layers ${a.layers} are of another type now, and may use another rotary table`,
    explanation:
      'The type of a layer decides which table it uses and how far it looks back. Weights belong to the type that they were trained as.',
  }),
  attention_layers_changed: unmeasured({
    code: 'RE081',
    title: 'attention layers appeared or went',
    args: { layers: 'string' },
    message: (a) => `layers ${a.layers} attended and do not any more, or the other way round`,
    explanation:
      'A layer of attention and one of linear attention, state space or convolution have different weights.',
  }),
  rotated_part_changed: unmeasured({
    code: 'RE082',
    title: 'rotated part of a head changed',
    args: { found: 'string', was: 'string', layers: 'string' },
    message: (a) =>
      `the rotated dimensions of a head${layersOf(a.layers)} were ${a.was} and are now ${a.found}`,
    explanation:
      'Which dimensions of a head rotate is fixed by training (partial_rotary_factor, rotary_dim, head_dim). The probes measure frequencies, not how many dimensions have one.',
  }),
  softmax_scale_changed: unmeasured({
    code: 'RE083',
    title: 'softmax scale changed',
    args: { found: 'number', was: 'number' },
    message: (a) => `the multiplier before the softmax was ${a.was} and is now ${a.found}`,
    explanation:
      'Weights belong to the scale that they were trained with. Only a scaling that multiplies it, as YaRN does in DeepSeek-V3, is measured, together with its table.',
  }),
  model_changed: unmeasured({
    code: 'RE084',
    title: 'another model',
    args: { what: 'string', found: 'string', was: 'string' },
    message: (a) => `${a.what} was ${a.was} and is ${a.found} now: this is another model`,
    explanation:
      'The type of a model, the number of its layers and heads and the width of each belong to the weights. The gate judges a change of context length; it cannot say whether other weights are as good.',
  }),
  block_respelt: entry({
    code: 'RE091',
    severity: 'warning',
    title: 'frequencies moved to where older versions do not look',
    args: { keys: 'strings' },
    message: (a) =>
      `${a.keys.join(' and ')} went, and the block holds the same: versions of transformers before 5, and programs that read like them, take the default of the class`,
    explanation:
      'transformers 5 keeps scaling and theta in rope_parameters, and still reads rope_scaling and rope_theta. Version 4 reads these two alone, so that a config saved by version 5 loses its scaling there without a word. Where an older program still serves the model, leave the old spelling.',
    affects: 'transformers 4, engines built on it, and converters of its time',
  }),
  not_judged: entry({
    code: 'RE085',
    severity: 'error',
    title: 'a change that nothing judges',
    args: {
      found: 'string',
      was: 'string',
      why: ['unread', 'remote-code', 'unknown-model-type', 'file-beside', 'too-many'],
    },
    message: (a) => {
      if (a.why === 'file-beside') return `${a.found} is another file now; ${NOT_JUDGED[a.why]}`;
      const moved = a.was === a.found ? '' : `was ${a.was} and is ${a.found} now; `;
      return `${moved}${NOT_JUDGED[a.why]}`;
    },
    explanation:
      'The gate passes what it measured, what it compared exactly and what is known to be harmless. Everything else fails until the policy names the key in its list "allow". Code that ships with a model (auto_map) and model types that transformers does not have read keys that rope-eval cannot know.',
    affects: 'the gate',
  }),
  ambiguous: unmeasured({
    code: 'RE086',
    title: 'programs read this differently',
    args: { finding: 'string' },
    message: (a) =>
      `transformers takes one reading and other programs may take another (${a.finding}); write it so that all read the same`,
    explanation:
      'A block written twice, `type` beside another `rope_type`, a key that stands twice or that the class leaves out: transformers decides by rules that other programs do not share. What the gate measures is one reading, so it asks for a config that has one.',
  }),
});

const NOT_JUDGED = Object.freeze({
  unread:
    'nothing that rope-eval reads depends on it, so nothing judged the change: take it back, or name the key under "allow" in the policy',
  'remote-code': 'code that comes with the model reads this config, and nobody knows how',
  'unknown-model-type': 'transformers has no such model type, so nobody knows what is read',
  'file-beside': 'it decides beside this config, and nothing judged it',
  'too-many': 'further keys differ than are looked at one by one',
});

/** '' for a model with only one kind of layers. */
const layersOf = (layers: string): string => (layers === '' ? '' : ` of ${layers} layers`);
