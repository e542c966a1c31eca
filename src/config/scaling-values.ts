import { finding } from '../finding-catalogue/index.js';
import { BOUNDS } from './bounds.js';
import { fail } from './fail.js';
import type { Fields } from './fields.js';
import type { RopeBlock, ScalingContext } from './scaling.js';

/**
 * The required `factor` of a block.
 *
 * @throws RopeEvalError `missing_field`, `invalid_value` (null, 0, below 0), `wrong_type`,
 *   `out_of_range`; below 1 is a finding
 */
export function readFactor(fields: Fields, context: ScalingContext): number {
  const path = fields.at('factor');
  if (fields.raw('factor') === null) {
    fail('invalid_value', path, 'must be a number of at least 1, found null');
  }
  const factor = fields.number('factor', { above: 0, max: BOUNDS.factor });
  if (factor === undefined) {
    fail('missing_field', path, 'is required', 'target length / original window, e.g. 4.0');
  }
  if (factor < 1) context.findings.push(finding('factor_below_one', path, { factor }));
  return factor;
}

export interface OriginalWindow {
  readonly value: number;
  /** false: max_position_embeddings was taken for it. */
  readonly given: boolean;
  readonly path: string;
}

const KEY = 'original_max_position_embeddings';

/**
 * The window before the extension: outside the block, else inside, else max_position_embeddings
 * with a finding. Two different values are a finding too.
 */
export function originalWindow(block: RopeBlock, context: ScalingContext): OriginalWindow {
  const { fields, outerOriginal } = block;
  const inner = fields.nullableInteger(KEY, { above: 0, max: BOUNDS.positions });
  if (outerOriginal !== undefined) {
    if (inner !== undefined && inner !== outerOriginal) {
      context.findings.push(
        finding('conflict', fields.at(KEY), {
          used: outerOriginal,
          usedPath: KEY,
          ignored: inner,
        }),
      );
    }
    return { value: outerOriginal, given: true, path: KEY };
  }
  if (inner !== undefined) return { value: inner, given: true, path: fields.at(KEY) };
  context.findings.push(
    finding('original_missing', fields.at(KEY), { max: context.maxPositions, type: block.type }),
  );
  return { value: context.maxPositions, given: false, path: fields.at(KEY) };
}

/** An explicit multiplier on cos and sin, if given. */
export function readAttentionFactor(fields: Fields): number | undefined {
  return fields.nullableNumber('attention_factor', { above: 0, max: BOUNDS.scale });
}
