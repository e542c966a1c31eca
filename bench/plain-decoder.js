/** Tokens. */
export const WINDOW = 4096;

/**
 * Makes the config.json of a plain decoder whose critical fraction is exactly c, and which rotates
 * a given share of each head. It uses StableLM's keys, because they include that share.
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
