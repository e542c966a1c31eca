import { RopeEvalError } from '../errors.js';
import { defaultRope } from './default.js';
import { dynamicRope } from './dynamic.js';
import { linearRope } from './linear.js';
import { llama3Rope } from './llama3.js';
import { longropeRope } from './longrope.js';
import { ntkRope } from './ntk.js';
import { proportionalRope } from './proportional.js';
import type { RopeKind, RopeSpec, RopeTable, RopeType } from './types.js';
import { yarnRope } from './yarn.js';

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

export type { RopeSpec, RopeSpecOf, RopeTable, RopeType } from './types.js';
