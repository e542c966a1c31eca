import { BOUNDS } from './bounds.js';
import { fail } from './fail.js';
import { checkNumber, type Fields } from './fields.js';
import type { ScalingInput, ScalingResult } from './scaling-types.js';
import { originalWindow, readAttentionFactor, readFactor } from './scaling-values.js';

/** Reads a longrope block; matches transformers `_compute_longrope_parameters`. */
export function readLongrope({ block, context, base }: ScalingInput): ScalingResult {
  const { fields } = block;
  const pairs = base.rotaryDim / 2;
  const shortFactor = divisors(fields, 'short_factor', pairs);
  const longFactor = divisors(fields, 'long_factor', pairs);
  const original = originalWindow(block, context);
  const factor = fields.given('factor')
    ? readFactor(fields, context)
    : context.maxPositions / original.value;
  const attentionFactor = readAttentionFactor(fields);
  if (attentionFactor === undefined && factor > 1 && original.value === 1) {
    fail(
      'invalid_value',
      original.path,
      'the attention scaling divides by ln(original window), which is 0 at 1',
    );
  }
  const shortMscale = mscale(fields, 'short_mscale');
  const longMscale = mscale(fields, 'long_mscale');
  return {
    rope: {
      type: 'longrope',
      ...base,
      shortFactor,
      longFactor,
      originalMaxPositions: original.value,
      factor,
      ...(attentionFactor !== undefined && { attentionFactor }),
      ...(shortMscale !== undefined && { shortMscale }),
      ...(longMscale !== undefined && { longMscale }),
    },
    originalMaxPositions: original.given ? original.value : undefined,
  };
}

/** One divisor above 0 per pair. */
function divisors(fields: Fields, key: string, pairs: number): readonly number[] {
  const list = fields.nullableList(key);
  if (list === undefined) {
    fail('missing_field', fields.at(key), `is required for longrope: ${pairs} numbers`);
  }
  if (list.length !== pairs) {
    fail(
      'wrong_length',
      fields.at(key),
      `has ${list.length} numbers, ${pairs} are needed: one per pair of rotated dimensions`,
    );
  }
  return list.map((value, index) =>
    checkNumber(value, `${fields.at(key)}[${index}]`, { above: 0, max: BOUNDS.factor }),
  );
}

function mscale(fields: Fields, key: string): number | undefined {
  return fields.nullableNumber(key, { above: 0, max: BOUNDS.scale });
}
