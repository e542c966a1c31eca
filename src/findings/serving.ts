import { type CatalogueEntry, type Finding, lengthOf } from './types.js';

/** Findings about what becomes of a scaling while text is generated; measured on the probe. */
export const SERVING_FINDINGS: readonly CatalogueEntry[] = Object.freeze([
  {
    code: 'RE052',
    kind: 'dynamic_forms_differ',
    severity: 'notice',
    title: 'dynamic scaling is not the same in every server',
    message: (a) =>
      `${a['candidate']} ${a['form'] === 'static' ? 'as one static table' : 'with cached keys'} ` +
      `${differenceOf(a)} ${placeOf(a)} than where everything is recomputed at each length`,
    explanation:
      'Dynamic NTK recomputes the table from the present length. transformers does so for a prompt that is read at once. While it generates, the keys in the KV cache keep the rotation of the length at which they were written, so that queries and keys no longer share a table. vLLM and SGLang compute one table, for factor x max_position_embeddings, and use it at every length. Difference and interval are on the same contexts; it is reported where its 95 % interval leaves out 0 and it exceeds 5 points of facts or 0.05 nats.',
    affects: 'transformers with a KV cache; vLLM and SGLang (one static table)',
  },
  {
    code: 'RE053',
    kind: 'stale_cache_at_switch',
    severity: 'notice',
    title: 'a KV cache from before the switch cannot be read after it',
    message: (a) =>
      `${a['candidate']} switches its table above ${lengthOf(a['tokens'])} tokens; read on with the keys cached before that, ` +
      `the facts change by ${points(a['accuracy'])} and the loss by ${nats(a['loss'])} against a cache that is computed anew`,
    explanation:
      'longrope has short factors up to original_max_position_embeddings and long factors above it. A conversation that crosses that length has a cache of keys rotated by the short factors, and asks it with queries rotated by the long ones: the angle between them no longer says how far apart they are, and the output turns to garbage in mid-sentence. transformers drops the cache of Phi-3 there and reads everything again (huggingface/transformers#33129); an engine must do that, or keep to one list of factors.',
    affects: 'engines that switch the factors and keep the cache',
  },
  {
    code: 'RE054',
    kind: 'offset_drift',
    severity: 'warning',
    title: 'scores depend on absolute positions',
    message: (a) =>
      `${a['candidate']} scores the same text differently when it stands ${lengthOf(a['tokens'])} tokens later: ` +
      `a log-probability drifts by ${Number(a['drift']).toPrecision(2)} nats, and 0.0001 would be rounding`,
    explanation:
      'With RoPE the score of a query and a key depends on the distance between them alone, so a text must read the same wherever it stands. Drift means that angles, or the products of queries and keys, were rounded too far: a table in half precision, or matrix products in TF32. The figures of this run are then less exact than they look.',
    affects: 'this run: its device and runtime',
  },
] satisfies CatalogueEntry[]);

type Args = Finding['args'];

function differenceOf(a: Args): string {
  const value = Number(a['value']);
  if (a['quantity'] === 'loss') {
    return `has ${Math.abs(value).toFixed(3)} nats ${value > 0 ? 'more' : 'less'} loss`;
  }
  const size = Math.abs(value * 100).toFixed(1);
  return `finds ${size} percentage points ${value < 0 ? 'fewer' : 'more'} facts`;
}

function placeOf(a: Args): string {
  const length = `${lengthOf(a['tokens'])} tokens`;
  return a['probe'] === 'short' ? `at short lengths (up to ${length})` : `at ${length}`;
}

function points(value: Args[string] | undefined): string {
  return `${(Number(value) * 100).toFixed(1)} percentage points`;
}

function nats(value: Args[string] | undefined): string {
  return `${Number(value).toFixed(3)} nats`;
}
