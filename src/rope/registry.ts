import { RopeEvalError } from '../errors.js';
import {
  baseOf,
  type Block,
  type Extension,
  type RopeKind,
  type RopeTable,
  type Shorthand,
  type Trained,
} from './kind.js';
import { defaultRope } from './kinds/default.js';
import { dynamicRope } from './kinds/dynamic.js';
import { linearRope } from './kinds/linear.js';
import { llama3Rope } from './kinds/llama3.js';
import { longropeRope } from './kinds/longrope.js';
import { ntkMixedRope } from './kinds/ntk-mixed.js';
import { ntkRope } from './kinds/ntk.js';
import { proportionalRope } from './kinds/proportional.js';
import { yarnRope } from './kinds/yarn.js';

/** Every rope kind. A new one is a file, its import and a line here (CONTRIBUTING.md, "How to add"). */
export const ROPE_KINDS = Object.freeze({
  default: defaultRope,
  linear: linearRope,
  ntk: ntkRope,
  'ntk-mixed': ntkMixedRope,
  dynamic: dynamicRope,
  yarn: yarnRope,
  llama3: llama3Rope,
  longrope: longropeRope,
  proportional: proportionalRope,
});

/** Rope types that can be computed. The shorthand `by-parts` is `yarn` with attention factor 1. */
export type RopeType = keyof typeof ROPE_KINDS;

/** Every rope type, as reports and schemas name them. */
export const ROPE_TYPES = Object.freeze(Object.keys(ROPE_KINDS)) as readonly [
  RopeType,
  ...RopeType[],
];

type Entry = (typeof ROPE_KINDS)[RopeType];

/** Everything a rotary table depends on, as plain data. Lengths in tokens. */
export type RopeSpec = Parameters<Entry['compute']>[0];

/** The spec of one rope type. */
export type RopeSpecOf<T extends RopeType> = Extract<RopeSpec, { readonly type: T }>;

/** The name of a shorthand that takes a factor, as in `yarn:4`. */
export type FactorMethod = Entry extends infer K
  ? K extends { readonly shorthands: infer Names }
    ? keyof Names & string
    : never
  : never;

/** Returns the kind of a spec. The cast says that the spec and the entry belong together. */
export function kindOf(spec: RopeSpec): RopeKind<RopeSpec, FactorMethod> {
  return ROPE_KINDS[spec.type] as unknown as RopeKind<RopeSpec, FactorMethod>;
}

interface NamedShorthand {
  readonly kind: RopeType;
  readonly shorthand: Shorthand<RopeSpec>;
}

/** Shorthands by name, in the order in which messages list them. */
export const SHORTHANDS = Object.freeze(
  Object.fromEntries(
    Object.values(ROPE_KINDS).flatMap((kind) =>
      Object.entries(kind.shorthands).map(([name, shorthand]) => [
        name,
        { kind: kind.type, shorthand },
      ]),
    ),
  ),
) as unknown as Readonly<Record<FactorMethod, NamedShorthand>>;

/** Names of the shorthands that take a factor. */
export const FACTOR_METHODS = Object.freeze(Object.keys(SHORTHANDS) as FactorMethod[]);

/**
 * Computes the rotary table of a spec.
 *
 * @param sequenceLength tokens, for the types that depend on it; without it, the table is the one
 *   that transformers builds at construction
 * @returns invFreq (rotaryDim / 2,) radians per token, and the multiplier on cos and sin
 * @throws RopeEvalError `out_of_range` if the sequence length is not a positive number or the spec
 *   does not give finite frequencies
 */
export function computeRope(spec: RopeSpec, sequenceLength?: number): RopeTable {
  if (sequenceLength !== undefined && !(sequenceLength > 0 && Number.isFinite(sequenceLength))) {
    throw new RopeEvalError('out_of_range', {
      problem: `sequence length must be a positive number of tokens, found ${sequenceLength}`,
    });
  }
  const table = kindOf(spec).compute(spec, sequenceLength);
  if (!Number.isFinite(table.attentionScaling) || !table.invFreq.every(isFrequency)) {
    throw new RopeEvalError('out_of_range', {
      problem: `${spec.type} RoPE with theta ${spec.theta} and ${spec.rotaryDim} dimensions has frequencies that are not finite`,
    });
  }
  return table;
}

function isFrequency(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

/** Whether the table of this spec changes with the length of the sequence. */
export function lengthDependent(spec: RopeSpec): boolean {
  return kindOf(spec).lengthDependent;
}

/** Returns the longest length in tokens before a table switches; undefined if it never does. */
export function switchLength(spec: RopeSpec): number | undefined {
  return kindOf(spec).switchLength?.(spec);
}

/** Returns the config block of a spec; undefined where theta alone expresses it. */
export function scalingBlock(spec: RopeSpec): Block | undefined {
  return kindOf(spec).write(spec);
}

/**
 * Returns the base that the table amounts to. Static NTK-aware scaling is only a larger theta, so
 * that is how weights are trained with it and how every engine can express it.
 */
export function effectiveTheta(spec: RopeSpec): number {
  return kindOf(spec).effectiveTheta?.(spec) ?? spec.theta;
}

/** Returns how far a scaling stretches the frequencies that it is applied to; 1 if not at all. */
export function extensionOf(spec: RopeSpec): Extension {
  return kindOf(spec).extension?.(spec) ?? { factor: 1 };
}

/**
 * Returns the tokens that a scaling reaches by its own factor; 0 if it implies no length.
 *
 * @param trained the spec that the weights were trained with
 * @param window tokens that they were trained on, including any trained-in extension
 */
export function stretchedWindow(
  spec: RopeSpec,
  trained: RopeSpec | undefined,
  window: number,
): number {
  const under: Trained<RopeSpec> = {
    ...(trained === undefined ? { factor: 1 } : extensionOf(trained)),
    window,
    same: trained?.type === spec.type ? trained : undefined,
  };
  return kindOf(spec).stretched(spec, under);
}

/** Returns the spec without its scaling, that is the config's base frequencies. */
export function unscaledSpec(spec: RopeSpec): RopeSpec {
  const architecture = kindOf(spec).architecture;
  return architecture === undefined
    ? { type: 'default', ...baseOf(spec) }
    : architecture.unscaled(spec);
}

/** Whether the kind of a spec belongs to the architecture and so remains under every scaling. */
export function keepsItsKind(spec: RopeSpec): boolean {
  return kindOf(spec).architecture !== undefined;
}

/** Describes in one sentence what a scaling does to the frequencies. */
export function ropeSentence(spec: RopeSpec): string {
  return kindOf(spec).sentence(spec);
}
