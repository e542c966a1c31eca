import { tokens } from '../text.js';
import { entry, LOCAL_SPANS } from './entry.js';

/** Faults of transformers' classes, by their effect. */
export const CLASS_FAULTS = [
  'head_dim_is_none',
  'one_head_dim',
  'short_at_every_length',
  'class_original_wins',
  'beta_is_none',
  'theta_not_read',
] as const;

/** Findings about a model as a whole: keys outside the block, defaults, layers. */
export const MODEL_FINDINGS = Object.freeze({
  missing_field: entry({
    code: 'RE020',
    severity: 'warning',
    title: 'missing key takes a class default',
    args: { value: 'number', model: 'string' },
    message: (a) => `is missing, so the class default of ${a.model} is used: ${a.value}`,
    explanation:
      'transformers fills a missing key from the config class and says nothing. The number belongs to the class, not to this model: the same file read by another engine, or another version, may get another number.',
    affects: 'transformers; other engines have their own defaults',
  }),
  missing_theta: entry({
    code: 'RE021',
    severity: 'notice',
    title: 'missing theta takes a class default',
    args: { value: 'number', model: 'string' },
    message: (a) => `is missing, so the class default of ${a.model} is used: ${a.value}`,
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
      `"${a.model}" is unknown and is read as a plain decoder${a.suggestion ? `; did you mean "${a.suggestion}"?` : ''}`,
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
      `${a.partial} is ignored: the unscaled RoPE of ${a.model} rotates the whole head; a scaled rope_type would apply it`,
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
  other_positions: entry({
    code: 'RE092',
    severity: 'warning',
    title: 'positions that the class of the model type does not have',
    args: { model: 'string' },
    message: (a) =>
      `the class of ${a.model} does not read this key; if the model ships code that does, that code decides which positions it uses, and rope-eval does not read it`,
    explanation:
      'Some models take the model_type of a class that transformers has, and bring code that tells positions apart in another way (jina-embeddings-v3 rotates under the type xlm-roberta, older Jina models use ALiBi under the type bert). What is shown is what the class in transformers does. Ask the code of the model which positions it uses.',
    affects: 'transformers without trust_remote_code, and engines that choose by model_type',
  }),
  nested_default: entry({
    code: 'RE030',
    severity: 'notice',
    title: 'nested config leaves keys to its class',
    args: { taken: 'numbersByKey', model: 'string' },
    message: (a) => `takes ${valuesOf(a.taken)} from the class defaults of ${a.model}`,
    explanation:
      'Multimodal configs are often published with only those keys of the text part that differ from its class. The values come from transformers 5.24.',
    affects: 'transformers; older versions may have other defaults',
  }),
  layers_unknown: entry({
    code: 'RE031',
    severity: 'notice',
    title: 'number of layers is not given',
    args: { value: 'number' },
    message: (a) =>
      `is missing, so ${a.value} layers are assumed; costs scale with them, frequencies do not`,
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
      `${a.model}: no layer type attends; the rotary table is shown, but nothing uses it`,
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
    message: () => 'is written more than once in the same object, and only the last value counts',
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
      `each query attends to ${a.kept} keys that an indexer picks; attention work is counted as if it attended to all`,
    explanation:
      'DeepSeek-V3.2 and its relatives choose the keys of each query with a small indexer, whose own work grows with the length. The frequencies and the range of positions are those of full attention. The attention work that is shown is an upper limit, and the cache of the indexer comes on top of the KV cache.',
    affects: 'this tool: only the cost section',
  }),
  part_not_read: entry({
    code: 'RE070',
    severity: 'warning',
    title: 'a part of the config that its class does not read',
    args: { model: 'string', part: 'string' },
    message: (a) =>
      `the class of ${a.model} reads the keys at the top; ${a.part} is read by no class of this model type`,
    explanation:
      'A composite keeps its language model in a part such as text_config. This model type is no composite, so transformers reads the keys at the top and keeps the part as an attribute that nothing asks for. A tool that looks for the part by its name reads other numbers from the same file: remove it.',
    affects: 'transformers reads the top; engines that look for text_config read the part',
  }),
  part_differs: entry({
    code: 'RE077',
    severity: 'warning',
    title: 'keys beside the part say something else',
    args: { part: 'string', keys: 'strings' },
    message: (a) =>
      `${a.keys.join(', ')} stand at the top too and would give other frequencies; the class reads ${a.part} alone`,
    explanation:
      'The class of a composite builds its language model from the part. Keys at the top with the same names are kept and not read, but other tools read them first. Write each key once, in the part.',
    affects: 'transformers reads the part; converters and some engines read the top',
  }),
  missing_partial: entry({
    code: 'RE071',
    severity: 'notice',
    title: 'missing partial_rotary_factor takes a class default',
    args: { value: 'number', model: 'string' },
    message: (a) => `is missing, so the class default of ${a.model} is used: ${a.value}`,
    explanation:
      'partial_rotary_factor is the share of each head that rotates. Classes have defaults of their own (0.5 for Phi and GLM, 0.25 for GPT-NeoX), and an engine that takes 1 for a missing key rotates dimensions that never rotated in training. Write the key.',
    affects: 'transformers; vLLM and SGLang take 1 where a block lacks the key',
  }),
  class_fault: entry({
    code: 'RE072',
    severity: 'warning',
    title: 'a fault of the class in transformers',
    args: { model: 'string', fault: CLASS_FAULTS, version: 'string', value: 'number?' },
    message: (a) => faultWords(a.fault, a.model, a.version, a.value),
    explanation:
      'rope-eval shows what the class runs. Here that is hardly what its authors meant, and other engines, or the code that was published with the weights, do what the block says. The finding says what runs; tools/transformers in the repository shows it by running the class.',
    affects: 'transformers in the version named; not vLLM, SGLang or llama.cpp',
  }),
  query_scaling: entry({
    code: 'RE073',
    severity: 'notice',
    title: 'queries are scaled with their position',
    args: {
      scale: 'number',
      window: 'number',
      at: 'number',
      factor: 'number',
      layers: ['all', 'without-rope'],
    },
    message: (a) =>
      `queries${a.layers === 'all' ? '' : ' of layers without RoPE'} are multiplied by 1 + ${a.scale} ln(1 + floor(position / ${tokens(a.window)})): ${a.factor} at position ${tokens(a.at)}`,
    explanation:
      'Llama 4 and Ministral 3 sharpen the softmax for far positions by a factor on the query that grows with its position. It is no part of RoPE and is not changed by a scaling, but a config that loses its key loses it too. The probe models have no such factor.',
    affects: 'transformers, vLLM',
  }),
  block_missing: entry({
    code: 'RE074',
    severity: 'warning',
    title: 'the scaling that the weights were trained with is missing',
    args: { model: 'string', known: 'number', max: 'number' },
    message: (a) =>
      `every ${a.model} was published with a scaling, and without it the weights know ${tokens(a.known)} positions of ${tokens(a.max)}`,
    explanation:
      'These models were extended with a scaling in training, and max_position_embeddings is the window that it gave them. Without the block the slow pairs turn further than they ever did in training, already at lengths that the model is known for. Take the block from the published config.',
    affects: 'every engine',
  }),
  not_evaluated: entry({
    code: 'RE075',
    severity: 'warning',
    title: 'a mechanism that is not evaluated',
    args: { mechanism: 'string', does: 'string' },
    message: (a) =>
      `${a.mechanism} ${a.does}; it is not evaluated, and what is shown leaves it out`,
    explanation:
      'Dual chunk attention, SelfExtend, DroPE and CoPE change which relative positions a layer sees, or whether it sees any. rope-eval computes rotary tables and measures what they do; a mechanism beside them is named and left out.',
    affects: 'this tool',
  }),
  translated: entry({
    code: 'RE076',
    severity: 'notice',
    title: 'another format, read as a config.json',
    args: { format: 'string', model: 'string' },
    message: (a) => `${a.format} is read as the config.json of a ${a.model} model`,
    explanation:
      "Mistral's params.json and the header of a GGUF file hold the same numbers as a config.json under other names. They are translated and then read as one; paths in findings are those of the translation.",
    affects: 'this tool',
  }),
});

/** Words values as `num_hidden_layers 32, hidden_size 4096`. */
function valuesOf(taken: Readonly<Record<string, number>>): string {
  return Object.entries(taken)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}

function faultWords(
  fault: (typeof CLASS_FAULTS)[number],
  model: string,
  version: string,
  value: number | undefined,
): string {
  const who = `transformers ${version}`;
  switch (fault) {
    case 'head_dim_is_none':
      return `${who} stops at this block: the class of ${model} leaves a missing head_dim None; write head_dim ${value ?? ''}`.trim();
    case 'one_head_dim':
      return `${who} stops at this block: the class of ${model} has no single head_dim, and longrope asks for it`;
    case 'short_at_every_length':
      return `${who} runs short_factor at every length for ${model}, with long_mscale above the original window; long_factor is never used`;
    case 'class_original_wins':
      return `${who} takes ${value ?? 'its own default'} for ${model}, the default of the class for the key outside the block, which beats this one; write it outside`;
    case 'beta_is_none':
      return `${who} stops in the first forward: the attention of ${model} multiplies by llama_4_scaling_beta, which the block lacks`;
    case 'theta_not_read':
      return `${who} never reads this key of ${model} and runs ${value ?? 'its own default'}, the default of the class, though the weights were trained with what stands here`;
  }
}
