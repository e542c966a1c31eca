/** Tokens. */
export const WINDOW = 4096;

/**
 * config.json of a plain decoder whose critical fraction is exactly c, and of whose heads a share
 * rotates; StableLM's, because that says which.
 */
export const plainDecoder = (c, rotaryShare = 1) =>
  JSON.stringify({
    model_type: 'stablelm',
    hidden_size: 4096,
    num_attention_heads: 32,
    num_hidden_layers: 32,
    max_position_embeddings: WINDOW,
    partial_rotary_factor: rotaryShare,
    rope_theta: Math.exp(Math.log(WINDOW / (2 * Math.PI)) / (1 - c)),
  });
