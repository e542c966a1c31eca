import type { RopeSpec } from '../../src/rope/registry.js';
import type { Row } from './types.js';
import { readNumber } from './values.js';

/**
 * Makes the scaling of a published row, for the geometry of its model. Dynamic linear, by-parts and
 * YaRN rows have factor = max(1, length / window), as published tables mean it. Dynamic NTK has the
 * F of transformers, 1 if none is given (alpha = length / window).
 *
 * @returns undefined if a theta or a list of divisors is missing
 */
export function specOf(row: Row): RopeSpec | undefined {
  const { rotaryDim, theta, window } = row.geometry;
  const base = { theta, rotaryDim };
  const factor = row.factor ?? 1;
  const given = (key: string, otherwise: number): number =>
    readNumber(row.params[key]) ?? otherwise;
  const yarn = {
    ...base,
    type: 'yarn' as const,
    factor,
    originalMaxPositions: window,
    betaFast: given('beta_fast', 32),
    betaSlow: given('beta_slow', 1),
    truncate: row.params['truncate'] !== false,
  };
  switch (row.method) {
    case 'none':
      return { ...base, type: 'default' };
    case 'linear':
    case 'dynamic-linear':
      return { ...base, type: 'linear', factor };
    case 'ntk':
    case 'dynamic': // Its factor is the alpha at exactly this length.
      return { ...base, type: 'ntk', alpha: factor };
    case 'by-parts':
    case 'dynamic-by-parts':
      return { ...yarn, attentionFactor: 1 };
    case 'yarn':
    case 'dynamic-yarn': {
      const attentionFactor = readNumber(row.params['attention_factor']);
      return attentionFactor === undefined ? yarn : { ...yarn, attentionFactor };
    }
    case 'llama3':
      return {
        ...base,
        type: 'llama3',
        factor,
        lowFreqFactor: given('low_freq_factor', 1),
        highFreqFactor: given('high_freq_factor', 4),
        originalMaxPositions: window,
      };
    case 'theta': {
      const changed = given('theta', NaN);
      return changed > 1 ? { ...base, theta: changed, type: 'default' } : undefined;
    }
    case 'longrope': {
      const { short_factor: shortFactor, long_factor: longFactor } = row.params;
      if (!isDivisors(longFactor, rotaryDim / 2)) return undefined;
      return {
        ...base,
        type: 'longrope',
        shortFactor: isDivisors(shortFactor, rotaryDim / 2) ? shortFactor : longFactor.map(() => 1),
        longFactor,
        originalMaxPositions: window,
        factor,
      };
    }
  }
}

function isDivisors(value: unknown, length: number): value is number[] {
  return (
    Array.isArray(value) &&
    value.length === length &&
    value.every((x) => typeof x === 'number' && x > 0)
  );
}
