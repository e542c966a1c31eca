import { finding } from '../findings/index.js';
import { BOUNDS, fail } from '../json/bounds.js';
import type { Fields } from '../json/fields.js';
import { tokens, trim } from '../numbers.js';
import type { Read, RopeBlock, ScalingContext } from './kind.js';

/**
 * The range of a factor, or of the divisor of one pair. Outside it, nothing is left of float32's
 * useful range.
 */
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

/**
 * Describes a scaling that, like YaRN and Llama 3, keeps pairs above one number of turns and
 * divides those below another.
 */
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
