import type { RopeSpec } from '../rope/types.js';
import type { Row } from './results.js';

/**
 * The scaling of a published row, on its model's own geometry. Dynamic rows are alpha or factor =
 * max(1, length / window), as published tables mean it.
 */
export function specOf(row: Row): RopeSpec | undefined {
  const { headDim, theta, window } = row.geometry;
  const base = { theta, rotaryDim: headDim };
  const factor = row.method.startsWith('dynamic-') ? Math.max(1, row.length / window) : row.factor;
  const yarn = {
    ...base,
    type: 'yarn' as const,
    factor,
    originalMaxPositions: window,
    betaFast: 32,
    betaSlow: 1,
    truncate: true,
  };
  switch (row.method) {
    case 'none':
      return { ...base, type: 'default' };
    case 'linear':
    case 'dynamic-linear':
      return { ...base, type: 'linear', factor };
    case 'ntk':
      return { ...base, type: 'ntk', alpha: factor };
    case 'dynamic':
      return { ...base, type: 'dynamic', factor: 1, maxPositions: window };
    case 'by-parts':
    case 'dynamic-by-parts':
      return { ...yarn, attentionFactor: 1 };
    case 'yarn':
    case 'dynamic-yarn':
      return yarn;
    case 'llama3':
      return {
        ...base,
        type: 'llama3',
        factor,
        lowFreqFactor: 1,
        highFreqFactor: 4,
        originalMaxPositions: window,
      };
    case 'theta':
      return { ...base, theta: row.params['theta'] as number, type: 'default' };
    case 'longrope': {
      const { short_factor: shortFactor, long_factor: longFactor } = row.params;
      if (!isNumbers(longFactor, headDim / 2)) return undefined;
      return {
        ...base,
        type: 'longrope',
        shortFactor: isNumbers(shortFactor, headDim / 2) ? shortFactor : longFactor.map(() => 1),
        longFactor,
        originalMaxPositions: window,
        factor,
      };
    }
  }
}

function isNumbers(value: unknown, length: number): value is number[] {
  return (
    Array.isArray(value) && value.length === length && value.every((x) => typeof x === 'number')
  );
}
