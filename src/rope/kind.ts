import type { Finding } from '../findings/index.js';
import type { Fields } from '../json/fields.js';

/** What every rotary table depends on; a rope kind adds its own parameters. */
export interface RopeBase {
  /** Base of the geometric series, > 1. */
  readonly theta: number;
  /** Rotated dimensions of a head; even. */
  readonly rotaryDim: number;
  /**
   * Denominator of the exponent, `theta^(-2i / exponentDim)`, where it is not rotaryDim:
   * an odd partial dimension (25 of 100) has ceil(25 / 2) pairs but divides by 25.
   */
  readonly exponentDim?: number;
}

/** A spec of any rope kind, as far as code that knows no kind by name needs it. */
export interface AnySpec extends RopeBase {
  readonly type: string;
}

export interface RopeTable {
  /** (rotaryDim / 2,) radians per token. */
  readonly invFreq: Float64Array;
  /** Multiplier on cos and sin (transformers: `attention_scaling`). */
  readonly attentionScaling: number;
}

/** The base of a spec, without what its kind adds. */
export function baseOf({ theta, rotaryDim, exponentDim }: RopeBase): RopeBase {
  return { theta, rotaryDim, ...(exponentDim !== undefined && { exponentDim }) };
}

/**
 * Frequencies of plain RoPE: `theta^(-2i / d)` for pair i.
 *
 * @param theta base, > 1
 * @param rotaryDim rotated dimensions of a head, even
 * @param exponentDim denominator of the exponent; rotaryDim unless that was rounded up to even
 * @returns (rotaryDim / 2,) radians per token
 * @see Su et al. 2021, arXiv:2104.09864, section 3.2.2; transformers
 *   `LlamaRotaryEmbedding.compute_default_rope_parameters`
 */
export function baseFrequencies(
  theta: number,
  rotaryDim: number,
  exponentDim: number = rotaryDim,
): Float64Array {
  return Float64Array.from({ length: rotaryDim / 2 }, (_, pair) =>
    Math.pow(theta, (-2 * pair) / exponentDim),
  );
}

/** A rope block together with what lies around it. */
export interface RopeBlock {
  /** The block itself; empty for a config without one. */
  readonly fields: Fields;
  /** Type after aliases, e.g. `yarn`; may be unknown. */
  readonly type: string;
  readonly theta: number;
  /** partial_rotary_factor that applies, if any is given. */
  readonly partial: number | undefined;
  /** `original_max_position_embeddings` outside the block, which beats the one inside. */
  readonly outerOriginal: number | undefined;
  /** Whether that is a default of the class, which the file does not show. */
  readonly originalFromClass?: boolean;
  /** Whether the block belongs to one layer type. */
  readonly nested: boolean;
  /** Keys that this model family adds to the block and reads elsewhere. */
  readonly extraKeys?: readonly string[];
  /** PhiMoE: the short factors of a longrope block run at every length. */
  readonly shortAtEveryLength?: boolean;
}

/** The model around a block. Lengths in tokens. */
export interface ScalingContext {
  readonly modelType: string;
  readonly headDim: number;
  readonly usesPartial: boolean;
  readonly maxPositions: number;
  /** false: a class default; dynamic must not be built on it. */
  readonly maxPositionsGiven: boolean;
}

export interface ScalingInput {
  readonly block: RopeBlock;
  readonly context: ScalingContext;
  readonly base: RopeBase;
}

/** A value read from a block, and what a person should know about it. */
export interface Read<T> {
  readonly value: T;
  readonly findings: readonly Finding[];
}

/** The value of what was read; what was found goes to the findings of the reader that asked. */
export function take<T>(into: Finding[], { value, findings }: Read<T>): T {
  into.push(...findings);
  return value;
}

/** What a kind reads from a block. */
export interface Reading<S extends AnySpec> {
  readonly rope: S;
  /** The original window, where the config gives one; tokens. */
  readonly originalMaxPositions: number | undefined;
  readonly findings: readonly Finding[];
}

/** A JSON object on its way into a config or a command line. */
export type Block = Readonly<Record<string, unknown>>;

/** How far a scaling stretches the frequencies under it. */
export interface Extension {
  /** 1 = not at all. */
  readonly factor: number;
  /** Tokens that the frequencies under it cover; undefined: the trained window / factor. */
  readonly originalMaxPositions?: number;
}

/** What the weights were trained with, as a scaling over them sees it. */
export interface Trained<S extends AnySpec> extends Extension {
  /** Tokens; holds a trained-in extension already. */
  readonly window: number;
  /** The trained-in spec, where it is of the kind that asks. */
  readonly same: S | undefined;
}

/** A shorthand such as `yarn:4:beta_fast=16`. */
export interface ShorthandRequest {
  readonly method: string;
  /** Multiplies the trained window. */
  readonly factor: number;
  /** Parameters by their config key. */
  readonly params: Readonly<Record<string, number | boolean>>;
}

/** What a shorthand starts from: the base under the trained-in scaling, and that scaling. */
export interface Ground<S extends AnySpec> {
  readonly base: RopeBase;
  /** Tokens that the base covers without any scaling. */
  readonly window: number;
  /** Extension that the weights were trained with x the factor asked for. */
  readonly factor: number;
  /** The trained-in spec, where it is of the same kind: its parameters are continued. */
  readonly same: S | undefined;
}

/** Why a shorthand has no meaning on a model. */
export interface Refused {
  readonly refused: {
    readonly kind: 'invalid_value' | 'unsupported_candidate';
    readonly problem: string;
    readonly hint?: string;
  };
}

export interface Shorthand<S extends AnySpec> {
  /** Parameters in the words of a config block, and what each takes. */
  readonly params: Readonly<Record<string, 'number' | 'boolean'>>;
  readonly make: (request: ShorthandRequest, ground: Ground<S>) => S | Refused;
}

/** A kind that is part of the architecture, and stays under every scaling. */
export interface Architecture<S extends AnySpec> {
  /** The spec without its scaling. */
  readonly unscaled: (spec: S) => S;
  readonly scaled: (spec: S, request: ShorthandRequest) => S | Refused;
}

/** What a file and the weights say about lengths, tokens. */
export interface LimitLengths {
  /** `max_position_embeddings` of the file. */
  readonly written: number;
  /** The window that the base frequencies cover. */
  readonly window: number;
  /** The window that the scaling stretches on these weights. */
  readonly stretched: number;
  /** The length to be served. */
  readonly length: number;
}

/**
 * A rope kind with all its faces.
 *
 * @typeParam S its spec
 * @typeParam N names of its shorthands
 * @typeParam R specs that a block of this type may mean; S, but for Hunyuan's `dynamic`
 */
export interface RopeKind<S extends AnySpec, N extends string = never, R extends AnySpec = S> {
  readonly type: S['type'];
  /** `sequenceLength` undefined: the table as transformers builds it at construction. */
  readonly compute: (spec: S, sequenceLength: number | undefined) => RopeTable;
  readonly lengthDependent: boolean;
  /** Longest length, tokens, before the table jumps to another one; absent: it never jumps. */
  readonly switchLength?: (spec: S) => number;

  /** How a config block says it; absent: transformers has no block of this type. */
  readonly block?: {
    /** Keys that this type reads, besides those common to all blocks. */
    readonly keys: readonly string[];
    /** @throws RopeEvalError for values that have no meaning */
    readonly read: (input: ScalingInput) => Reading<R>;
  };
  /** The block in transformers' words; undefined where theta says it all. */
  readonly write: (spec: S) => Block | undefined;
  /** The theta that the table amounts to, where it is nothing but a larger theta. */
  readonly effectiveTheta?: (spec: S) => number;
  /**
   * `max_position_embeddings` to write beside the block, where it is not at least the length to be
   * served: engines multiply it by the factor, or work the length out from the block.
   */
  readonly limitBeside?: (spec: S, lengths: LimitLengths) => number;

  readonly shorthands: Readonly<Record<N, Shorthand<S>>>;
  /** What it does to the window; absent: it stretches nothing. */
  readonly extension?: (spec: S) => Extension;
  /** Tokens that it reaches by its own factor on these weights; 0 = it says nothing of a length. */
  readonly stretched: (spec: S, trained: Trained<S>) => number;
  readonly architecture?: Architecture<S>;

  /** One sentence: what it does to the frequencies. */
  readonly sentence: (spec: S) => string;
}

/** Freezes a kind and infers the names of its shorthands. */
export function defineKind<S extends AnySpec, N extends string = never, R extends AnySpec = S>(
  kind: RopeKind<S, N, R>,
): RopeKind<S, N, R> {
  return Object.freeze(kind);
}

/**
 * Tokens that a scaling of an original window reaches. Where the weights were trained with a
 * scaling of the same original window, that says better than factor x original what this one adds:
 * Llama 3.1 writes 8 x 8192 and was trained on 131,072.
 */
export function stretchedOriginal(
  spec: { readonly factor: number; readonly originalMaxPositions: number },
  trained: Trained<AnySpec>,
): number {
  return trained.originalMaxPositions === spec.originalMaxPositions
    ? (spec.factor / trained.factor) * trained.window
    : spec.factor * spec.originalMaxPositions;
}

/** A key of a block, where there is a value for it. */
export function optional(key: string, value: number | undefined): Block {
  return value === undefined ? {} : { [key]: value };
}

/** A numeric parameter of a shorthand, if it was given. */
export function numberParam({ params }: ShorthandRequest, key: string): number | undefined {
  const value = params[key];
  return typeof value === 'number' ? value : undefined;
}

export function refuse(kind: Refused['refused']['kind'], problem: string, hint?: string): Refused {
  return { refused: { kind, problem, ...(hint !== undefined && { hint }) } };
}

/** Scalings that raise theta have an exponent that divides by zero at one pair. */
export function needsPairs({ rotaryDim }: RopeBase): Refused | undefined {
  return rotaryDim > 2
    ? undefined
    : refuse('unsupported_candidate', 'needs more than one rotated pair');
}
