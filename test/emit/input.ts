import { readFileSync } from 'node:fs';
import { type ConfigForm, type Edit, type EmitInput, hfPatch } from '../../src/emit/index.js';
import { parseConfig } from '../../src/json/parse.js';
import { chooseReference, referenceSpecs } from '../../src/model/evidence.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import type { ModelGeometry } from '../../src/model/types.js';
import type { RopeSpec } from '../../src/rope/registry.js';

export function configText(name: string): string {
  return readFileSync(new URL(`../../configs/${name}.json`, import.meta.url), 'utf8');
}

/** The text of a published config that is not among the examples. */
export function fixtureText(name: string): string {
  const file = new URL(`../../fixtures/model-configs/${name}.json`, import.meta.url);
  return readFileSync(file, 'utf8');
}

/** Makes an input whose global layers get this scaling. Local layers keep their own. */
export function inputFor(
  text: string,
  scale: (base: RopeSpec, geometry: ModelGeometry) => RopeSpec,
  length: number,
): EmitInput {
  const raw = parseConfig(text);
  const geometry = readModel(raw);
  if (isNotRope(geometry)) throw new Error('no RoPE');
  const [first, ...others] = geometry.groups.map((group) => ({
    layerType: group.layerType,
    span: group.span,
    rope: group.span.kind === 'global' ? scale(group.unscaled, geometry) : group.rope,
    ...(group.partialRotaryFactor !== undefined && { partial: group.partialRotaryFactor }),
  }));
  if (!first) throw new Error('no layers');
  const reference = chooseReference(geometry);
  const trained = referenceSpecs(geometry, geometry, reference)[0]!;
  return { label: 'test', geometry, reference, trained, groups: [first, ...others], raw, length };
}

/** Returns the edits of a form that can express the scaling. */
export function editsOf(input: EmitInput, form: ConfigForm): readonly Edit[] {
  const patch = hfPatch(input, form);
  if (!patch.ok) throw new Error(`refused: ${patch.reason}`);
  return patch.edits;
}

export function yarn(factor: number, original: number, more = {}) {
  return ({ theta, rotaryDim }: RopeSpec): RopeSpec => ({
    theta,
    rotaryDim,
    type: 'yarn',
    factor,
    originalMaxPositions: original,
    betaFast: 32,
    betaSlow: 1,
    truncate: true,
    ...more,
  });
}

export const linear =
  (factor: number) =>
  ({ theta, rotaryDim }: RopeSpec): RopeSpec => ({ theta, rotaryDim, type: 'linear', factor });

export const dynamic =
  (factor: number) =>
  ({ theta, rotaryDim }: RopeSpec, { maxPositions }: ModelGeometry): RopeSpec => ({
    theta,
    rotaryDim,
    type: 'dynamic',
    factor,
    maxPositions,
  });

export const ntk =
  (alpha: number) =>
  ({ theta, rotaryDim }: RopeSpec): RopeSpec => ({ theta, rotaryDim, type: 'ntk', alpha });

/** Qwen3-0.6B, whose YaRN recipe every engine's documentation shows. */
export const QWEN3 = JSON.stringify({
  model_type: 'qwen3',
  architectures: ['Qwen3ForCausalLM'],
  hidden_size: 1024,
  num_attention_heads: 16,
  num_key_value_heads: 8,
  head_dim: 128,
  num_hidden_layers: 28,
  max_position_embeddings: 40960,
  rope_scaling: null,
  rope_theta: 1000000,
});

/** Finds the value after a flag in a printed command. */
export function flag(command: string, name: string): string {
  const match = new RegExp(`${name} ('[^']*'|\\S+)`).exec(command);
  return (match?.[1] ?? '').replaceAll("'", '');
}
