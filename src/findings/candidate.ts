import { ENCODING_NAMES, ENCODINGS } from '../encodings/registry.js';
import { fixed, list, tokens } from '../text.js';
import { entry, LOCAL_SPANS } from './entry.js';

/** Findings about what happens to a scaling during text generation, as measured on the probe. */
export const SERVING_FINDINGS = Object.freeze({
  dynamic_forms_differ: entry({
    code: 'RE052',
    severity: 'notice',
    title: 'dynamic scaling is not the same in every server',
    args: {
      candidate: 'string',
      form: ['recomputed', 'cached', 'static'],
      quantity: ['accuracy', 'loss'],
      value: 'number',
      tokens: 'number',
      probe: ['needle', 'short'],
    },
    message: (a) =>
      `${a.candidate} ${a.form === 'static' ? 'as one static table' : 'with cached keys'} ` +
      `${differenceOf(a.quantity, a.value)} ${placeOf(a.probe, a.tokens)} than when recomputed at each length`,
    explanation:
      'Dynamic NTK recomputes the table from the present length. transformers does so for a prompt that is read at once. While it generates, the keys in the KV cache keep the rotation of the length at which they were written, so that queries and keys no longer share a table. vLLM and SGLang have one table for every length: of a block in the config that of factor x max_position_embeddings, and with the settings of rope-eval emit that of the length to be served. Difference and interval are on the same contexts; it is reported where its 95 % interval leaves out 0 and it exceeds 5 points of facts or 0.05 nats.',
    affects: 'transformers with a KV cache; vLLM and SGLang (one static table)',
  }),
  stale_cache_at_switch: entry({
    code: 'RE053',
    severity: 'notice',
    title: 'keys cached before the switch cannot be read after it',
    args: { candidate: 'string', tokens: 'number', accuracy: 'number', loss: 'number' },
    message: (a) =>
      `${a.candidate} switches its table above ${tokens(a.tokens)} tokens; with keys cached before that, ` +
      `facts found change by ${points(a.accuracy)} and loss by ${nats(a.loss)} against a recomputed cache`,
    explanation:
      'longrope has short factors up to original_max_position_embeddings and long factors above it. A conversation that crosses that length has a cache of keys rotated by the short factors, and asks it with queries rotated by the long ones: the angle between them no longer says how far apart they are, and the output turns to garbage in mid-sentence. transformers drops the cache of Phi-3 there and reads everything again (huggingface/transformers#33129); an engine must do that, or keep to one list of factors.',
    affects: 'engines that switch the factors and keep the cache',
  }),
  export_has_other_table: entry({
    code: 'RE090',
    severity: 'warning',
    title: 'the exported model does not run with the scaling that the config names',
    args: { layerType: 'string', difference: 'number', unscaled: 'boolean' },
    message: (a) =>
      a.unscaled
        ? `this export runs without the scaling that the config names (${a.layerType} layers): ` +
          'its rotary table is that of the base frequencies'
        : `the rotary table in the exported graph (${a.layerType} layers) is not the one that the config names: ` +
          `cos and sin differ by up to ${a.difference.toPrecision(2)}`,
    explanation:
      'An exporter computes the rotary table once and stores it. Some leave out a scaling that they do not know: the model builder of onnxruntime-genai writes ntk, dynamic and a YaRN block without beta_fast as if there were no scaling. Such an export answers otherwise than the model that the config describes. rope-eval replaces the table by that of each scaling, so its own figures are of what the config says; what runs in production from this export is not.',
    affects: 'programs that run the exported graph as it is',
  }),
  offset_drift: entry({
    code: 'RE054',
    severity: 'warning',
    title: 'scores depend on absolute positions',
    args: { candidate: 'string', drift: 'number', tokens: 'number' },
    message: (a) =>
      `${a.candidate} scores the same text differently ${tokens(a.tokens)} tokens later: ` +
      `a log-probability drifts by ${a.drift.toPrecision(2)} nats, where rounding alone gives 0.0001`,
    explanation:
      'With RoPE the score of a query and a key depends on the distance between them alone, so a text must read the same wherever it stands. Drift means that angles, or the products of queries and keys, were rounded too far: a table in half precision, or matrix products in TF32. The figures of this run are then less exact than they look.',
    affects: 'this run: its device and runtime',
  }),
});

function differenceOf(quantity: 'accuracy' | 'loss', value: number): string {
  if (quantity === 'loss') {
    return `has ${Math.abs(value).toFixed(3)} nats ${value > 0 ? 'more' : 'less'} loss`;
  }
  const size = Math.abs(value * 100).toFixed(1);
  return `finds ${size} percentage points ${value < 0 ? 'fewer' : 'more'} facts`;
}

function placeOf(probe: 'needle' | 'short', length: number): string {
  const at = `${tokens(length)} tokens`;
  return probe === 'short' ? `at short lengths (up to ${at})` : `at ${at}`;
}

const points = (value: number): string => `${(value * 100).toFixed(1)} percentage points`;

const nats = (value: number): string => `${value.toFixed(3)} nats`;

/** Joins labels, since a report may state a finding once for several candidates. */
const names = (candidate: string | readonly string[]): string => [candidate].flat().join(', ');

const fraction = (value: number): string => fixed(value, 2);

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
    args: { candidates: 'strings', reason: 'string', engines: 'strings?' },
    message: ({ candidates, reason, engines = [] }) =>
      `no config.json of this model type can express ${candidates.join(', ')}: ${reason}` +
      (engines.length === 0 ? '' : `; ${list(engines)} can be told by options`),
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

/** `99 % of the facts at 1x`, followed by the shares at the other multiples. */
function shares(facts: Readonly<Record<string, number>>): string {
  return Object.entries(facts)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([multiple, share], i) => {
      const what = i === 0 ? 'of the facts ' : '';
      return `${Math.round(share * 100)} % ${what}at ${multiple}x`;
    })
    .join(', ');
}
