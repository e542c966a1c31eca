import { RopeEvalError } from '../errors.js';
import { defaultRope } from './kinds/default.js';
import { dynamicRope } from './kinds/dynamic.js';
import { linearRope } from './kinds/linear.js';
import { llama3Rope } from './kinds/llama3.js';
import { longropeRope } from './kinds/longrope.js';
import { ntkRope } from './kinds/ntk.js';
import { proportionalRope } from './kinds/proportional.js';
import { yarnRope } from './kinds/yarn.js';
import type { RopeKind, RopeSpec, RopeTable, RopeType } from './spec.js';

/** Every rope type. Adding one is one new file, one member of the union, and one line here. */
export const ROPE_KINDS: { readonly [T in RopeType]: RopeKind<T> } = Object.freeze({
  default: defaultRope,
  linear: linearRope,
  ntk: ntkRope,
  dynamic: dynamicRope,
  yarn: yarnRope,
  llama3: llama3Rope,
  longrope: longropeRope,
  proportional: proportionalRope,
});

/**
 * The rotary table of a spec.
 *
 * @param sequenceLength tokens, for the types that depend on it; undefined = as transformers
 *   builds the table at construction
 * @returns invFreq (rotaryDim / 2,) radians per token, and the multiplier on cos and sin
 * @throws RopeEvalError `out_of_range` if a number of the spec does not give finite frequencies
 */
export function computeRope(spec: RopeSpec, sequenceLength?: number): RopeTable {
  if (sequenceLength !== undefined && !(sequenceLength > 0 && Number.isFinite(sequenceLength))) {
    throw new RopeEvalError(
      `sequence length must be a positive number of tokens, found ${sequenceLength}`,
      2,
      'out_of_range',
    );
  }
  // The union and the table have the same keys; TypeScript cannot follow the pairing.
  const kind = ROPE_KINDS[spec.type] as RopeKind<RopeType>;
  const table = kind.compute(spec, sequenceLength);
  if (!Number.isFinite(table.attentionScaling) || !table.invFreq.every(isFrequency)) {
    throw new RopeEvalError(
      `${spec.type} RoPE with theta ${spec.theta} and ${spec.rotaryDim} dimensions has frequencies that are not finite`,
      2,
      'out_of_range',
    );
  }
  return table;
}

/** Whether the table of this spec changes with the length of the sequence. */
export function lengthDependent(spec: RopeSpec): boolean {
  return ROPE_KINDS[spec.type].lengthDependent;
}

/** Longest length, tokens, before the table of this spec jumps; undefined: it never jumps. */
export function switchLength(spec: RopeSpec): number | undefined {
  return (ROPE_KINDS[spec.type] as RopeKind<RopeType>).switchLength?.(spec);
}

function isFrequency(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

export { type RopeSpec, type RopeSpecOf, type RopeTable, type RopeType } from './spec.js';
