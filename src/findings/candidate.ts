import { ENCODING_NAMES, ENCODINGS } from '../encodings/registry.js';
import { fixed, tokens } from '../numbers.js';
import { entry, LOCAL_SPANS } from './entry.js';

/**
 * Joins the labels of an argument, since a report may state a finding once for several candidates.
 */
const names = (candidate: string | readonly string[]): string => [candidate].flat().join(', ');

const fraction = (value: number): string => fixed(value, 2);

/** Findings about candidates and the reference. */
export const CANDIDATE_FINDINGS = Object.freeze({
  trained_scaling_discarded: entry({
    code: 'RE050',
    severity: 'warning',
    title: 'candidate drops a scaling the weights were trained with',
    args: { candidate: 'names', trained: 'string' },
    message: (a) =>
      `the ${a.trained} scaling that the weights were trained with is replaced by ${names(a.candidate)}`,
    explanation:
      'A config holds one scaling block. Writing a new one over a trained-in llama3, longrope, yarn or linear block puts all frequencies back to the base ones before scaling them, so the model changes also at lengths that worked. The comparison is against the trained frequencies and shows that cost.',
    affects: 'everyone: no config format can stack two scalings',
  }),
  candidate_reaches_local_layers: entry({
    code: 'RE051',
    severity: 'notice',
    title: 'candidate also reaches local layers',
    args: { candidate: 'names', layers: 'number', span: LOCAL_SPANS, window: 'number' },
    message: (a) =>
      `${a.layers} ${a.span} layers that see at most ${a.window} tokens also change under ${names(a.candidate)}`,
    explanation:
      'This model type has one block for all layers, so a scaling meant for the global layers reaches the sliding-window or chunked ones too, where it can only lose.',
    affects: 'every engine that applies one block to all layers',
  }),
  target_raised: entry({
    code: 'RE055',
    severity: 'notice',
    title: 'target too close to the trained window',
    args: { asked: 'number', target: 'number', window: 'number' },
    message: (a) =>
      `the target of ${tokens(a.asked)} tokens is too close to the trained window of ` +
      `${tokens(a.window)}; ${tokens(a.target)} tokens are probed instead`,
    explanation:
      'The probe models have a window of 256 tokens. Questions at the window and at a target less than a tenth beyond it would fall on the same tokens. So the next length that can be told apart is probed; what holds there also holds at the target.',
    affects: 'rope-eval only',
  }),
  candidate_not_written: entry({
    code: 'RE058',
    severity: 'notice',
    title: 'no config.json of this model type can express the candidate',
    args: { candidates: 'strings', reason: 'string' },
    message: (a) =>
      `no config.json of this model type can express ${a.candidates.join(', ')}: ${a.reason}`,
    explanation:
      'Some classes read one rope type alone, some have a fixed table. transformers would refuse or ignore the block, or make another table of it. The candidate is measured all the same, because another engine or code of your own may apply it.',
    affects: 'transformers; rope-eval emit says which engines can',
  }),
  probe_out_of_range: entry({
    code: 'RE059',
    severity: 'warning',
    title: 'critical fraction outside the range of the probe models',
    args: { own: 'number', from: 'number', to: 'number' },
    message: (a) =>
      `critical fraction ${fraction(a.own)} is outside ${fraction(a.from)} to ${fraction(a.to)}, ` +
      'the range of the bundled probe models; the nearest one is used, so check what it says on the model itself',
    explanation:
      'The critical fraction is the share of the log-frequency range that never completes a turn within the trained window. It decides how a model breaks beyond its window. Each probe model stands for a range of it that was compared with real text. Outside, nobody has checked whether the probe orders scalings as a real model does.',
    affects: 'rope-eval only',
  }),
});

/** Findings about models with a position encoding other than RoPE. */
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

/**
 * Words the shares as `99 % of the facts at 1x`, followed by those at the other window multiples.
 */
function shares(facts: Readonly<Record<string, number>>): string {
  return Object.entries(facts)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([multiple, share], i) => {
      const what = i === 0 ? 'of the facts ' : '';
      return `${Math.round(share * 100)} % ${what}at ${multiple}x`;
    })
    .join(', ');
}
