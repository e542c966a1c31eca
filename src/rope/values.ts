import { finding } from '../findings/index.js';
import { BOUNDS, fail } from '../json/bounds.js';
import type { Fields } from '../json/fields.js';
import { tokens, trim } from '../numbers.js';
import type { Read, RopeBlock, ScalingContext } from './kind.js';

/** A factor, or a divisor of one pair: beyond these nothing is left of float32's useful range. */
export const FACTOR_RULE = Object.freeze({
  above: 0,
  min: 1 / BOUNDS.factor,
  max: BOUNDS.factor,
});

/**
 * The required `factor` of a block.
 *
 * @throws RopeEvalError `missing_field`, `invalid_value` (null, 0, below 0), `wrong_type`,
 *   `out_of_range`; below 1 is a finding
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

export interface OriginalWindow {
  /** Tokens. */
  readonly tokens: number;
  /** false: max_position_embeddings was taken for it. */
  readonly given: boolean;
  readonly path: string;
}

const KEY = 'original_max_position_embeddings';

/**
 * The window before the extension: outside the block, else inside, else max_position_embeddings
 * with a finding. Two different values are a finding too.
 */
export function originalWindow(block: RopeBlock, context: ScalingContext): Read<OriginalWindow> {
  const { fields, outerOriginal } = block;
  const path = fields.at(KEY);
  const inner = fields.nullableInteger(KEY, { above: 0, max: BOUNDS.positions });
  if (outerOriginal !== undefined) {
    const value = { tokens: outerOriginal, given: true, path: KEY };
    // The reader of the block has said so where a class default wins.
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

/** An explicit multiplier on cos and sin, if given. */
export function readAttentionFactor(fields: Fields): number | undefined {
  return fields.nullableNumber('attention_factor', { above: 0, max: BOUNDS.scale });
}

/** Two bands of pairs, as YaRN and Llama 3 have them. */
export interface Bands {
  readonly factor: number;
  /** Tokens over which turns are counted. */
  readonly window: number;
  /** Pairs with more turns than this are left alone. */
  readonly kept: number;
  /** Pairs with fewer turns than this are divided by the factor. */
  readonly divided: number;
  /** What joins the two. */
  readonly between: string;
}

/** What YaRN and Llama 3 share: pairs are kept above a number of turns, divided below another. */
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
