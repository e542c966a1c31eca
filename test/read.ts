import { findingName } from '../src/findings/index.js';
import { parseConfig } from '../src/json/parse.js';
import { isNotRope, readModel } from '../src/model/read-model.js';
import type { ModelGeometry } from '../src/model/types.js';
import { modelConfig } from './golden-cases.js';

/** A model that has RoPE, from an object as it would stand in config.json. */
export function read(config: unknown): ModelGeometry {
  const model = readModel(parseConfig(JSON.stringify(config)));
  if (isNotRope(model)) throw new Error(`${model.modelType} has no RoPE`);
  return model;
}

/** A model from fixtures/model-configs. */
export function readFixture(name: string): ModelGeometry {
  return read(JSON.parse(modelConfig(name)));
}

/** Kinds of a model's findings. */
export function kinds(model: { readonly findings: ModelGeometry['findings'] }): string[] {
  return model.findings.map(findingName);
}

/** Llama-2-like keys to build on. */
export const LLAMA = Object.freeze({
  model_type: 'llama',
  hidden_size: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  max_position_embeddings: 4096,
  rope_theta: 10000,
});
