import { finding } from '../finding-catalogue/index.js';
import { BOUNDS } from './bounds.js';
import { fail } from './fail.js';
import type { Fields } from './fields.js';
import type { ScalingInput, ScalingResult } from './scaling-types.js';
import {
  type OriginalWindow,
  originalWindow,
  readAttentionFactor,
  readFactor,
} from './scaling-values.js';
import type { ScalingContext } from './scaling.js';

/** Betas of 0 count as absent, as in transformers (`get(...) or 32`). */
const BETA = Object.freeze({ min: 0, max: BOUNDS.positions });
const DEFAULT_BETA_FAST = 32;
const DEFAULT_BETA_SLOW = 1;

/** Reads a YaRN block; matches transformers `_compute_yarn_parameters` and its validation. */
export function readYarn({ block, context, base }: ScalingInput): ScalingResult {
  const { fields } = block;
  if (base.theta === 1) {
    fail('invalid_value', 'rope_theta', 'YaRN divides by ln(theta), which is 0 at 1');
  }
  const original = originalWindow(block, context);
  const factor = yarnFactor(fields, original, context);
  const betaFast = fields.nullableNumber('beta_fast', BETA) || DEFAULT_BETA_FAST;
  const betaSlow = fields.nullableNumber('beta_slow', BETA) || DEFAULT_BETA_SLOW;
  if (betaFast < betaSlow) {
    context.findings.push(
      finding('beta_order', fields.at('beta_fast'), { fast: betaFast, slow: betaSlow }),
    );
  }
  const mscale = fields.nullableNumber('mscale', { min: 0, max: BOUNDS.scale });
  const mscaleAllDim = fields.nullableNumber('mscale_all_dim', { min: 0, max: BOUNDS.scale });
  const attentionFactor = readAttentionFactor(fields);
  reportLoneMscale(fields, mscale, mscaleAllDim, context);
  return {
    rope: {
      type: 'yarn',
      ...base,
      factor,
      originalMaxPositions: original.value,
      betaFast,
      betaSlow,
      truncate: readTruncate(fields, block.nested, context),
      ...(mscale !== undefined && { mscale }),
      ...(mscaleAllDim !== undefined && { mscaleAllDim }),
      ...(attentionFactor !== undefined && { attentionFactor }),
    },
    originalMaxPositions: original.given ? original.value : undefined,
  };
}

/** The factor, and what contradicts it. A null factor is max / original. */
function yarnFactor(fields: Fields, original: OriginalWindow, context: ScalingContext): number {
  const max = context.maxPositions;
  const ratio = max / original.value;
  const path = fields.at('factor');
  if (fields.has('factor') && !fields.given('factor') && original.given) {
    context.findings.push(finding('implicit_factor', path, { factor: ratio }));
    return ratio;
  }
  const factor = readFactor(fields, context);
  if (!original.given) return factor;
  if (original.value > max) {
    context.findings.push(
      finding('original_above_max', original.path, { original: original.value, max }),
    );
  } else if (ratio !== 1 && Math.abs(ratio - factor) > 1e-9 * ratio) {
    context.findings.push(
      finding('factor_mismatch', path, {
        factor,
        max,
        original: original.value,
        ratio: Number(ratio.toPrecision(6)),
      }),
    );
  }
  return factor;
}

/** transformers looks for `truncate` in the outer dictionary, so a nested one is never seen. */
function readTruncate(fields: Fields, nested: boolean, context: ScalingContext): boolean {
  if (!fields.has('truncate')) return true;
  // An explicit null is falsy there, hence "no truncation", and not the default.
  const value = fields.nullableBoolean('truncate') ?? false;
  if (nested && !value) {
    context.findings.push(finding('truncate_ignored', fields.at('truncate')));
    return true;
  }
  return value;
}

function reportLoneMscale(
  fields: Fields,
  mscale: number | undefined,
  mscaleAllDim: number | undefined,
  context: ScalingContext,
): void {
  if (Boolean(mscale) === Boolean(mscaleAllDim)) return;
  const [given, missing] = mscale ? ['mscale', 'mscale_all_dim'] : ['mscale_all_dim', 'mscale'];
  context.findings.push(finding('mscale_alone', fields.at(given), { given, missing }));
}
