import { fixed, tokens } from '../numbers.js';
import { entry, LOCAL_SPANS } from './entry.js';

/** The candidate, or several that reports say it of at once. */
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
      `the ${a.trained} scaling that the weights were trained with gives way to ${names(a.candidate)}`,
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
      `${a.layers} ${a.span} layers that see at most ${a.window} tokens are changed too, by ${names(a.candidate)}`,
    explanation:
      'This model type has one block for all layers, so a scaling meant for the global layers reaches the sliding-window or chunked ones too, where it can only lose.',
    affects: 'every engine that applies one block to all layers',
  }),
  target_raised: entry({
    code: 'RE055',
    severity: 'notice',
    title: 'target raised to what the probe can tell from the trained window',
    args: { asked: 'number', target: 'number', window: 'number' },
    message: (a) =>
      `the target of ${tokens(a.asked)} tokens is too near to the trained window of ` +
      `${tokens(a.window)}; ${tokens(a.target)} tokens are probed instead`,
    explanation:
      'The probe models have a window of 256 tokens. Questions at the window and at a target less than a tenth beyond it would fall on the same tokens, so that the next length that can be told apart is probed: what holds there also holds at the target.',
    affects: 'rope-eval only',
  }),
  candidate_not_written: entry({
    code: 'RE058',
    severity: 'notice',
    title: 'candidate that the model type cannot be told',
    args: { candidates: 'strings', reason: 'string' },
    message: (a) =>
      `no config.json says ${a.candidates.join(', ')} for this model type: ${a.reason}`,
    explanation:
      'Classes restrict what they read: some take one rope type alone, some have a fixed table. The candidate is measured, as another engine or code of your own may apply it, but transformers would refuse or ignore the block, or make another table of it.',
    affects: 'transformers; rope-eval emit says which engines can',
  }),
  probe_out_of_range: entry({
    code: 'RE059',
    severity: 'warning',
    title: 'no probe model stands for such a model',
    args: { own: 'number', from: 'number', to: 'number' },
    message: (a) =>
      `the critical fraction of ${fraction(a.own)} is outside ${fraction(a.from)} to ` +
      `${fraction(a.to)}, which the bundled probe models stand for: the nearest is used, and ` +
      'what it says is to be checked on the model itself',
    explanation:
      'The critical fraction, the share of the log-frequency range below one turn a trained window, decides how a model breaks beyond its window. Probe models are trained for some, and compared with real text for some. Outside these nobody has looked whether they order scalings as a real model does.',
    affects: 'rope-eval only',
  }),
});
