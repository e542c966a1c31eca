import { tokens } from '../numbers.js';
import { entry } from './entry.js';

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
