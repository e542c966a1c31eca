import { entry, LOCAL_SPANS } from './entry.js';

/** Findings about a model as a whole: keys outside the block, defaults, layers. */
export const MODEL_FINDINGS = Object.freeze({
  missing_field: entry({
    code: 'RE020',
    severity: 'warning',
    title: 'missing key takes a class default',
    args: { value: 'number', model: 'string' },
    message: (a) => `is missing: ${a.value} is taken, the default of the class for ${a.model}`,
    explanation:
      'transformers fills a missing key from the config class and says nothing. The number belongs to the class, not to this model: the same file read by another engine, or another version, may get another number.',
    affects: 'transformers; other engines have their own defaults',
  }),
  missing_theta: entry({
    code: 'RE021',
    severity: 'notice',
    title: 'missing theta takes a class default',
    args: { value: 'number', model: 'string' },
    message: (a) => `is missing: ${a.value} is taken, the default of the class for ${a.model}`,
    explanation:
      'theta is the base of all frequencies. Without the key each engine takes the default of its own class (500000 for Cohere, 1000000 for Mixtral, 10000 for most). A model trained with another base gives fluent nonsense.',
    affects: 'transformers; other engines have their own defaults',
  }),
  unknown_model_type: entry({
    code: 'RE022',
    severity: 'warning',
    title: 'unknown model type',
    args: { model: 'string', suggestion: 'string?' },
    message: (a) =>
      `"${a.model}" is not known: its ordinary keys are read as those of a plain decoder${a.suggestion ? `; did you mean "${a.suggestion}"?` : ''}`,
    explanation:
      'The file has the usual keys (hidden_size, num_attention_heads, rope_theta or a block), so rotated dimensions and frequencies follow the LLaMA rule. Code that ships with the model may do something else: check with a dump of the frequencies (`rope-eval fingerprint --diff`).',
    affects: 'this tool',
  }),
  partial_ignored: entry({
    code: 'RE023',
    severity: 'warning',
    title: 'partial_rotary_factor is not applied',
    args: { partial: 'number', model: 'string' },
    message: (a) =>
      `${a.partial} is ignored by the unscaled RoPE of ${a.model}, which rotates the whole head; a scaled rope_type would apply it`,
    explanation:
      'In many classes the default path takes the whole head and only the scaled paths (linear, yarn, llama3 ...) multiply by partial_rotary_factor. Adding a scaling then also changes how many dimensions rotate, which no weights were trained for.',
    affects: 'transformers 5',
  }),
  conflict: entry({
    code: 'RE024',
    severity: 'warning',
    title: 'two places say different things',
    args: { used: 'value', usedPath: 'string', ignored: 'value' },
    message: (a) => `${a.used} (${a.usedPath}) is used, ${a.ignored} is ignored`,
    explanation:
      'The same quantity is written twice with different values. In transformers theta inside the block beats rope_theta outside, rope_type beats type, and original_max_position_embeddings outside beats the one inside. Other engines may decide the other way: write it once.',
    affects: 'everyone; the order of precedence is that of transformers',
  }),
  two_blocks: entry({
    code: 'RE025',
    severity: 'warning',
    title: 'rope_scaling and rope_parameters differ',
    args: {},
    message: () => 'a rope_scaling that is not empty replaces rope_parameters, which is ignored',
    explanation:
      'The older rope_scaling and the newer rope_parameters stand in one file and differ. transformers takes rope_scaling whole; nothing is merged. An engine that reads only rope_parameters gets the other one.',
    affects: 'transformers 4 and 5, vLLM, SGLang',
  }),
  double_scaling: entry({
    code: 'RE026',
    severity: 'warning',
    title: 'the window seems to be extended twice',
    args: { type: 'string', original: 'number', max: 'number', ratio: 'number' },
    message: (a) =>
      `max_position_embeddings ${a.max} is already ${a.ratio} x the original window ${a.original}, and ${a.type} starts from it`,
    explanation:
      'dynamic scaling begins where the sequence exceeds max_position_embeddings. When that number was raised to the target as well, the model runs unscaled over the whole extended window, and scaling begins only past it. Keep max_position_embeddings at the trained window for dynamic.',
    affects: 'transformers; vLLM uses its own limit',
  }),
  misspelt_key: entry({
    code: 'RE027',
    severity: 'warning',
    title: 'key looks misspelt',
    args: { suggestion: 'string' },
    message: (a) => `is not a known key; did you mean "${a.suggestion}"?`,
    explanation:
      'Unknown keys are kept and never read. A rope key with one wrong letter therefore does nothing, and the class default is used instead.',
    affects: 'transformers and everyone else',
  }),
  local_stretch: entry({
    code: 'RE028',
    severity: 'warning',
    title: 'scaling on layers that never look far',
    args: {
      type: 'string',
      layers: 'number',
      span: LOCAL_SPANS,
      window: 'number',
      trained: 'boolean',
    },
    message: (a) =>
      `${a.type} scaling reaches ${a.layers} ${a.span} layers that see at most ${a.window} tokens: ${a.trained ? 'the weights were trained with it, but more of it would only cost' : 'they lose resolution and gain nothing'}`,
    explanation:
      'A sliding-window or chunked layer never meets a distance beyond its window, however long the sequence is. Slowing its pairs makes near tokens harder to tell apart and helps nothing. Gemma 3 and Olmo 3 therefore scale their full-attention layers only; classes with a single block scale all layers.',
    affects: 'every engine that applies one block to all layers',
  }),
  not_rope: entry({
    code: 'RE029',
    severity: 'notice',
    title: 'the model does not use RoPE',
    args: { model: 'string', encoding: 'string', uses: 'string', instead: 'string' },
    message: (a) => `${a.model} uses ${a.uses}, so RoPE scalings do not apply; ${a.instead}`,
    explanation:
      'RoPE scalings change the rotation frequencies of queries and keys. A model with another way of telling positions apart has none. ALiBi models extend by themselves, with a growing penalty; learned tables must be enlarged and trained; relative biases are shared beyond a distance; state-space layers carry the order in their state.',
    affects: 'everyone',
  }),
  nested_default: entry({
    code: 'RE030',
    severity: 'notice',
    title: 'nested config leaves keys to its class',
    args: { taken: 'numbersByKey', model: 'string' },
    message: (a) => `${valuesOf(a.taken)} taken from the class defaults of ${a.model}`,
    explanation:
      'Multimodal configs are often published with only those keys of the text part that differ from its class. The values come from transformers 5.23.',
    affects: 'transformers; older versions may have other defaults',
  }),
  layers_unknown: entry({
    code: 'RE031',
    severity: 'notice',
    title: 'number of layers is not given',
    args: { value: 'number' },
    message: (a) =>
      `is missing: ${a.value} layers are assumed; costs scale with it, frequencies do not`,
    explanation:
      'The number of layers does not change any frequency. It changes the KV cache and which layers are global or local.',
    affects: 'this tool',
  }),
  no_attention_layers: entry({
    code: 'RE032',
    severity: 'notice',
    title: 'no attention layer in the list',
    args: { model: 'string' },
    message: (a) =>
      `${a.model}: the layer types name no attention layer; the rotary table is shown, and nothing uses it`,
    explanation:
      'Hybrid models name their layers one by one. With no attention layer among them the rotary table exists and no layer reads it.',
    affects: 'transformers',
  }),
  encoder_differs: entry({
    code: 'RE033',
    severity: 'notice',
    title: 'encoder and decoder differ',
    args: {},
    message: () => 'the decoder is shown; the encoder has another rotary table',
    explanation:
      'An encoder-decoder model has two rotary tables. This report is about the decoder.',
    affects: 'this tool',
  }),
  unread_block: entry({
    code: 'RE034',
    severity: 'warning',
    title: 'the class does not read rope_scaling',
    args: { model: 'string' },
    message: (a) => `is not read by the class for ${a.model}; write rope_parameters`,
    explanation:
      'Most classes take a legacy rope_scaling and turn it into rope_parameters. A few set their parameters before that step, so that the block is lost without a word.',
    affects: 'transformers 5',
  }),
  repeated_key: entry({
    code: 'RE035',
    severity: 'notice',
    title: 'key written twice',
    args: {},
    message: () => 'is written more than once in the same object; the last value counts',
    explanation:
      'JSON allows a key only once in an object, but JSON.parse and Python take a second one in silence and keep the last value. An edit of the first then has no effect.',
    affects: 'every reader of the file; some refuse it',
  }),
  sparse_attention: entry({
    code: 'RE036',
    severity: 'notice',
    title: 'attention to a chosen part of the context',
    args: { kept: 'number' },
    message: (a) =>
      `a query attends to the ${a.kept} keys that an indexer picks; attention work is counted as if it attended to all`,
    explanation:
      'DeepSeek-V3.2 and its relatives choose the keys of each query with a small indexer, whose own work grows with the length. The frequencies and the range of positions are those of full attention. The attention work that is shown is an upper limit, and the cache of the indexer comes on top of the KV cache.',
    affects: 'this tool: only the cost section',
  }),
});

/** `num_hidden_layers 32,hidden_size 4096` */
function valuesOf(taken: Readonly<Record<string, number>>): string {
  return Object.entries(taken)
    .map(([key, value]) => `${key} ${value}`)
    .join(',');
}
