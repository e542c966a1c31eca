import { RopeEvalError } from '../errors.js';
import type { RopeTable } from '../rope/index.js';
import { DIFF_TOLERANCE, type DiffOptions, type FingerprintDiff } from './diff-types.js';
import type { EngineDump } from './engine-dump.js';
import { toBfloat16, toFloat16 } from './rounding.js';

/** Two libraries' float32 powers differ by this much, relative; smaller is not a difference. */
const FLOAT32_ROUNDING = 1e-6;

/** Inverse frequencies: one difference per pair, which grows to an angle with the position. */
export function diffFrequencies(
  { invFreq }: RopeTable,
  { key, values }: EngineDump,
  { upTo, tolerance = DIFF_TOLERANCE, unscaled }: DiffOptions,
): FingerprintDiff {
  if (values.length !== invFreq.length) {
    throw new RopeEvalError(
      `inv_freq has ${values.length} numbers; this table has ${invFreq.length}, one per pair`,
      2,
      'dump',
      key,
      'Dump the buffer of one layer, for the layer type that is compared.',
    );
  }
  let largest = 0;
  let worst = { pair: 0, position: null, expected: 0, found: 0, difference: -1 };
  invFreq.forEach((expected, pair) => {
    const found = values[pair] ?? 0;
    const gap = Math.abs(found - expected);
    const difference = expected > 0 ? gap / expected : gap;
    if (difference > FLOAT32_ROUNDING) largest = Math.max(largest, gap);
    if (difference > worst.difference)
      worst = { pair, position: null, expected, found, difference };
  });
  // The angles part by p * |Δω|.
  const parts = largest > 0 ? Math.floor(tolerance / largest) + 1 : null;
  const partsFrom = parts !== null && parts <= upTo ? parts : null;
  return {
    key,
    same: partsFrom === null,
    tolerance,
    upTo,
    compared: values.length,
    partsFrom,
    worst,
    arrangement: null,
    attentionScaling: null,
    looksLike: explain(values, invFreq, unscaled),
  };
}

/** The simple explanations, tried in order; null where the tables agree or none fits. */
function explain(
  values: readonly number[],
  invFreq: Float64Array,
  unscaled: RopeTable | undefined,
): FingerprintDiff['looksLike'] {
  const fits = (expected: (pair: number) => number): boolean =>
    values.every((found, pair) => {
      const want = expected(pair);
      return Math.abs(found - want) <= FLOAT32_ROUNDING * Math.abs(want);
    });
  const frequency = (pair: number): number => invFreq[pair] ?? 0;
  if (fits(frequency)) return null;
  if (unscaled !== undefined && fits((pair) => unscaled.invFreq[pair] ?? 0)) return 'unscaled';
  if (fits((pair) => toBfloat16(frequency(pair)))) return 'bfloat16 frequencies';
  if (fits((pair) => toFloat16(frequency(pair)))) return 'float16 frequencies';
  return null;
}
