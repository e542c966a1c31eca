import { finding, type Finding } from '../findings/index.js';
import type { Fields } from '../json/fields.js';
import { BOUNDS, fail } from '../json/parse.js';
import { tokens, trim } from '../text.js';

/** The range of a factor or divisor. Outside it, nothing is left of float32's useful range. */
export const FACTOR_RULE = Object.freeze({
  above: 0,
  min: 1 / BOUNDS.factor,
  max: BOUNDS.factor,
});

/**
 * Reads the required `factor` of a block.
 *
 * @throws RopeEvalError `missing_field`, `invalid_value` (null, 0, below 0), `wrong_type`,
 *   `out_of_range`; a factor below 1 is only a finding
 */
export function readFactor(fields: Fields): Read<number> {
  const path = fields.at('factor');
  if (fields.raw('factor') === null) {
    fail('invalid_value', path, 'must be a number of at least 1, found null');
  }
  const factor = fields.number('factor', FACTOR_RULE);
  if (factor === undefined) {
    fail('missing_field', path, 'is required', 'target length / original window, e.g. 4.0');
  }
  return {
    value: factor,
    findings: factor < 1 ? [finding('factor_below_one', path, { factor })] : [],
  };
}

/** The window that a scaling extends. */
export interface OriginalWindow {
  /** Tokens. */
  readonly tokens: number;
  /** false: the config does not give one, and max_position_embeddings was used instead. */
  readonly given: boolean;
  readonly path: string;
}

const KEY = 'original_max_position_embeddings';

/**
 * Reads the window before the extension: from outside the block, else from inside it, else from
 * max_position_embeddings with a finding. Two different values also give a finding.
 */
export function originalWindow(block: RopeBlock, context: ScalingContext): Read<OriginalWindow> {
  const { fields, outerOriginal } = block;
  const path = fields.at(KEY);
  const inner = fields.nullableInteger(KEY, { above: 0, max: BOUNDS.positions });
  if (outerOriginal !== undefined) {
    const value = { tokens: outerOriginal, given: true, path: KEY };
    // If a class default wins, the reader of the block has already reported that.
    const said = block.originalFromClass === true;
    if (said || inner === undefined || inner === outerOriginal) return { value, findings: [] };
    const args = { used: outerOriginal, usedPath: KEY, ignored: inner };
    return { value, findings: [finding('conflict', path, args)] };
  }
  if (inner !== undefined) return { value: { tokens: inner, given: true, path }, findings: [] };
  const { maxPositions } = context;
  return {
    value: { tokens: maxPositions, given: false, path },
    findings: [finding('original_missing', path, { max: maxPositions, type: block.type })],
  };
}

/** Reads an explicit multiplier on cos and sin, if one is given. */
export function readAttentionFactor(fields: Fields): number | undefined {
  return fields.nullableNumber('attention_factor', { above: 0, max: BOUNDS.scale });
}

/** The two bands of pairs that YaRN and Llama 3 scaling define. */
export interface Bands {
  readonly factor: number;
  /** Tokens over which the turns are counted. */
  readonly window: number;
  /** Pairs with more turns than this keep their frequency. */
  readonly kept: number;
  /** Pairs with fewer turns than this are divided by the factor. */
  readonly divided: number;
  /** Names what joins the two bands. */
  readonly between: string;
}

/** Describes a scaling that keeps pairs of many turns and divides those of few. */
export function bandSentence(name: string, { factor, window, kept, divided, between }: Bands) {
  const joined = kept === divided ? '' : `, and ${between} joins the two`;
  return (
    `${name} with factor ${trim(factor, 4)}: ` +
    `pairs that turn more than ${times(kept)} in ${tokens(window)} tokens are left alone, those that turn ` +
    `less than ${times(divided)} are divided by ${trim(factor, 4)}${joined}.`
  );
}

function times(count: number): string {
  return count === 1 ? 'once' : `${trim(count, 2)} times`;
}

/** What every rotary table depends on; a rope kind adds its own parameters. */
export interface RopeBase {
  /** Base of the geometric series, > 1. */
  readonly theta: number;
  /** Rotated dimensions of a head; even. */
  readonly rotaryDim: number;
  /**
   * Denominator of the exponent in `theta^(-2i / exponentDim)`, where it differs from rotaryDim. An
   * odd partial dimension (25 of 100) has ceil(25 / 2) pairs but divides by 25.
   */
  readonly exponentDim?: number;
}

/** A spec of any rope kind, for code that treats all kinds alike. */
export interface AnySpec extends RopeBase {
  readonly type: string;
}

/** The result of a rope formula: what an attention layer needs to rotate queries and keys. */
export interface RopeTable {
  /** (rotaryDim / 2,) radians per token. */
  readonly invFreq: Float64Array;
  /** Multiplier on cos and sin (transformers: `attention_scaling`). */
  readonly attentionScaling: number;
}

/** Returns the base of a spec without the parameters of its kind. */
export function baseOf({ theta, rotaryDim, exponentDim }: RopeBase): RopeBase {
  return { theta, rotaryDim, ...(exponentDim !== undefined && { exponentDim }) };
}

/**
 * Computes the frequencies of plain RoPE: `theta^(-2i / d)` for pair i.
 *
 * @param theta base, > 1
 * @param rotaryDim rotated dimensions of a head, even
 * @param exponentDim denominator of the exponent; differs from rotaryDim if that was rounded up to
 *   even
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

/** A rope block together with the keys around it that affect it. */
export interface RopeBlock {
  /** The block itself; empty if the config has none. */
  readonly fields: Fields;
  /** Rope type after aliases are resolved, e.g. `yarn`; may be unknown. */
  readonly type: string;
  readonly theta: number;
  /** The partial_rotary_factor that applies, if one is given. */
  readonly partial: number | undefined;
  /** `original_max_position_embeddings` outside the block, which precedes the one inside. */
  readonly outerOriginal: number | undefined;
  /** Whether `outerOriginal` is a class default, which the file does not show. */
  readonly originalFromClass?: boolean;
  /** Whether the block belongs to one layer type. */
  readonly nested: boolean;
  /** Keys that this model family adds to the block and reads elsewhere. */
  readonly extraKeys?: readonly string[];
  /** PhiMoE: the short factors of a longrope block run at every length. */
  readonly shortAtEveryLength?: boolean;
}

/** What a rope kind needs to know about the model around a block. Lengths in tokens. */
export interface ScalingContext {
  readonly modelType: string;
  readonly headDim: number;
  readonly usesPartial: boolean;
  readonly maxPositions: number;
  /** false: `maxPositions` is a class default, which dynamic scaling must not be built on. */
  readonly maxPositionsGiven: boolean;
}

/** All that a rope kind reads its spec from. */
export interface ScalingInput {
  readonly block: RopeBlock;
  readonly context: ScalingContext;
  readonly base: RopeBase;
}

/** A value read from a block, with the findings that came up while reading it. */
export interface Read<T> {
  readonly value: T;
  readonly findings: readonly Finding[];
}

/** Returns the value that was read and adds its findings to the caller's list. */
export function take<T>(into: Finding[], { value, findings }: Read<T>): T {
  into.push(...findings);
  return value;
}

/** What a kind reads from a block. */
export interface Reading<S extends AnySpec> {
  readonly rope: S;
  /** The original window in tokens, if the config gives one. */
  readonly originalMaxPositions: number | undefined;
  readonly findings: readonly Finding[];
}

/** A JSON object to be written to a config or a command line. */
export type Block = Readonly<Record<string, unknown>>;

/** How far a scaling stretches the frequencies that it is applied to. */
export interface Extension {
  /** 1 = not at all. */
  readonly factor: number;
  /** Tokens that the unscaled frequencies cover; undefined: the trained window / factor. */
  readonly originalMaxPositions?: number;
}

/** What the weights were trained with, for a scaling that is applied on top. */
export interface Trained<S extends AnySpec> extends Extension {
  /** In tokens; includes any extension that the weights were trained with. */
  readonly window: number;
  /** The trained-in spec, if it is of the same kind as the scaling on top. */
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

/** What a shorthand builds on: the unscaled base and what the weights were trained with. */
export interface Ground<S extends AnySpec> {
  readonly base: RopeBase;
  /** Tokens that the base covers without any scaling. */
  readonly window: number;
  /** The trained-in extension multiplied by the factor asked for. */
  readonly factor: number;
  /** The trained-in spec, if it is of the same kind; its parameters carry over. */
  readonly same: S | undefined;
}

/** Why a shorthand does not apply to a model. */
export interface Refused {
  readonly refused: {
    readonly kind: 'invalid_value' | 'unsupported_candidate';
    readonly problem: string;
    readonly hint?: string;
  };
}

/** How a shorthand such as `yarn:4` becomes a spec. */
export interface Shorthand<S extends AnySpec> {
  /** The parameters that it takes, by config key, and the type of each. */
  readonly params: Readonly<Record<string, 'number' | 'boolean'>>;
  readonly make: (request: ShorthandRequest, ground: Ground<S>) => S | Refused;
}

/** Set for a kind that belongs to the architecture and so remains under every scaling. */
export interface Architecture<S extends AnySpec> {
  /** The spec without its scaling. */
  readonly unscaled: (spec: S) => S;
  readonly scaled: (spec: S, request: ShorthandRequest) => S | Refused;
}

/** The lengths that decide which limit is written to a config. All in tokens. */
export interface LimitLengths {
  /** `max_position_embeddings` in the file. */
  readonly written: number;
  /** The window that the unscaled frequencies cover. */
  readonly window: number;
  /** The window that the scaling reaches on these weights. */
  readonly stretched: number;
  readonly length: number;
}

/** Groups of scalings with similar costs on real models. */
export type CostFamily = 'linear' | 'ntk' | 'by-parts' | 'yarn';

/**
 * Everything that the tool knows about one rope kind: its formula, and how it is read, written,
 * extended and described.
 *
 * @typeParam S its spec
 * @typeParam N names of its shorthands
 * @typeParam R specs that a block of this type can mean; the same as S except for Hunyuan's
 *   `dynamic`
 */
export interface RopeKind<S extends AnySpec, N extends string = never, R extends AnySpec = S> {
  readonly type: S['type'];
  /** Computes the table; without `sequenceLength`, that of transformers at construction. */
  readonly compute: (spec: S, sequenceLength: number | undefined) => RopeTable;
  readonly lengthDependent: boolean;
  /** The longest length in tokens before the table switches to another; absent: it never does. */
  readonly switchLength?: (spec: S) => number;

  /** How a config block expresses it; absent if transformers has no block of this type. */
  readonly block?: {
    /** Keys that this type reads, besides those common to all blocks. */
    readonly keys: readonly string[];
    /** @throws RopeEvalError for values that have no meaning */
    readonly read: (input: ScalingInput) => Reading<R>;
  };
  /** Writes the config block; undefined where theta alone expresses the spec. */
  readonly write: (spec: S) => Block | undefined;
  /** The equivalent theta, for a kind that only raises theta. */
  readonly effectiveTheta?: (spec: S) => number;
  /**
   * The `max_position_embeddings` to write beside the block, for engines that multiply it by the
   * factor or derive the length from the block. Absent: the larger of the file's value and the
   * length to be served.
   */
  readonly limitBeside?: (spec: S, lengths: LimitLengths) => number;

  readonly shorthands: Readonly<Record<N, Shorthand<S>>>;
  /** How far it extends the window; absent if it does not. */
  readonly extension?: (spec: S) => Extension;
  /** The tokens that it reaches by its own factor on these weights; 0 if it implies no length. */
  readonly stretched: (spec: S, trained: Trained<S>) => number;
  readonly architecture?: Architecture<S>;

  /** The measured family that represents it. NTK stands for any changed theta. */
  readonly costsLike: CostFamily;
  /** Describes in one sentence what it does to the frequencies. */
  readonly sentence: (spec: S) => string;
}

/** Freezes a kind and infers the names of its shorthands. */
export function defineKind<S extends AnySpec, N extends string = never, R extends AnySpec = S>(
  kind: RopeKind<S, N, R>,
): RopeKind<S, N, R> {
  return Object.freeze(kind);
}

/**
 * Returns the tokens that a scaling of an original window reaches. If the weights were trained with
 * a scaling of the same original window, the result is relative to that training, which is more
 * accurate than factor x original: Llama 3.1 writes 8 x 8192 but was trained on 131,072 tokens.
 */
export function stretchedOriginal(
  spec: { readonly factor: number; readonly originalMaxPositions: number },
  trained: Trained<AnySpec>,
): number {
  return trained.originalMaxPositions === spec.originalMaxPositions
    ? (spec.factor / trained.factor) * trained.window
    : spec.factor * spec.originalMaxPositions;
}

/** Returns a block with one key, or an empty one if there is no value for it. */
export function optional(key: string, value: number | undefined): Block {
  return value === undefined ? {} : { [key]: value };
}

/** Returns a numeric parameter of a shorthand, if it was given. */
export function numberParam({ params }: ShorthandRequest, key: string): number | undefined {
  const value = params[key];
  return typeof value === 'number' ? value : undefined;
}

export function refuse(kind: Refused['refused']['kind'], problem: string, hint?: string): Refused {
  return { refused: { kind, problem, ...(hint !== undefined && { hint }) } };
}

/** Refuses to raise theta on a head with one rotated pair, where the exponent divides by zero. */
export function needsPairs({ rotaryDim }: RopeBase): Refused | undefined {
  return rotaryDim > 2
    ? undefined
    : refuse('unsupported_candidate', 'needs more than one rotated pair');
}
