import { findingName } from '../src/findings/index.js';
import { parseConfig } from '../src/json/parse.js';
import { isNotRope, readModel } from '../src/model/read-model.js';
import type { ModelGeometry } from '../src/model/types.js';
import { modelConfig } from './golden-cases.js';

/** Reads a model with RoPE from an object that stands for its config.json. */
export function read(config: unknown): ModelGeometry {
  const model = readModel(parseConfig(JSON.stringify(config)));
  if (isNotRope(model)) throw new Error(`${model.modelType} has no RoPE`);
  return model;
}

/** Reads a model from fixtures/model-configs. */
export function readFixture(name: string): ModelGeometry {
  return read(JSON.parse(modelConfig(name)));
}

/** Lists the kinds of a model's findings. */
export function kinds(model: { readonly findings: ModelGeometry['findings'] }): string[] {
  return model.findings.map(findingName);
}

/** Keys like those of Llama 2, for tests to build on. */
export const LLAMA = Object.freeze({
  model_type: 'llama',
  hidden_size: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  max_position_embeddings: 4096,
  rope_theta: 10000,
});
