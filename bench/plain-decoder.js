/** Tokens. */
export const WINDOW = 4096;

/** config.json of a plain decoder whose critical fraction is exactly c. */
export const plainDecoder = (c) =>
  JSON.stringify({
    model_type: 'llama',
    hidden_size: 4096,
    num_attention_heads: 32,
    num_hidden_layers: 32,
    max_position_embeddings: WINDOW,
    rope_theta: Math.exp(Math.log(WINDOW / (2 * Math.PI)) / (1 - c)),
  });
