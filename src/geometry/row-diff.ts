import { RopeEvalError } from '../errors.js';
import type { RopeTable } from '../rope/index.js';
import {
  DIFF_TOLERANCE,
  type Arrangement,
  type DiffOptions,
  type FingerprintDiff,
} from './diff-types.js';
import type { EngineDump } from './engine-dump.js';

/** Where column `column` of a row comes from. */
type Column = (column: number, pairs: number) => { pair: number; sine: boolean };

/** Arrangements of a row that engines use, and its width in pairs. */
const ARRANGEMENTS: Readonly<Record<Arrangement, { widthInPairs: number; column: Column }>> =
  Object.freeze({
    pairs: { widthInPairs: 1, column: (column) => ({ pair: column, sine: false }) },
    halves: { widthInPairs: 2, column: (column, pairs) => ({ pair: column % pairs, sine: false }) },
    neighbours: { widthInPairs: 2, column: (column) => ({ pair: column >> 1, sine: false }) },
    'cosines then sines': {
      widthInPairs: 2,
      column: (column, pairs) => ({ pair: column % pairs, sine: column >= pairs }),
    },
  });

/**
 * Rows of cosines or sines, one row a position. The arrangement is not in the dump: of those that
 * fit its length the one that agrees best is taken, so a wrong table is never made worse by it.
 */
export function diffRows(
  table: RopeTable,
  dump: EngineDump,
  { upTo, tolerance = DIFF_TOLERANCE, unscaled, firstPosition = 0 }: DiffOptions,
): FingerprintDiff {
  const pairs = table.invFreq.length;
  const possible: readonly Arrangement[] =
    dump.key === 'cos_sin_cache' ? ['cosines then sines'] : ['pairs', 'halves', 'neighbours'];
  const fitting = possible.filter(
    (name) => dump.values.length % (ARRANGEMENTS[name].widthInPairs * pairs) === 0,
  );
  const compare = (against: RopeTable): Compared[] =>
    fitting.map((name) => compareRows(against, dump, name, firstPosition, tolerance));
  const best = closest(compare(table));
  if (best === undefined) {
    throw new RopeEvalError(
      `${dump.key} has ${dump.values.length} numbers, which is no whole number of rows of ${pairs} or ${2 * pairs}`,
      2,
      'dump',
      dump.key,
    );
  }
  const same = best.partsFrom === null || best.partsFrom > upTo;
  const other = same || unscaled === undefined ? undefined : closest(compare(unscaled));
  return {
    key: dump.key,
    same,
    tolerance,
    upTo,
    compared: dump.values.length,
    partsFrom: same ? null : best.partsFrom,
    worst: best.worst,
    arrangement: best.arrangement,
    attentionScaling:
      dump.key === 'sin' || firstPosition !== 0
        ? null
        : { expected: table.attentionScaling, found: dump.values[0] ?? 0 },
    looksLike: other !== undefined && other.partsFrom === null ? 'unscaled' : null,
  };
}

interface Compared {
  readonly arrangement: Arrangement;
  readonly partsFrom: number | null;
  readonly worst: FingerprintDiff['worst'];
}

function compareRows(
  { invFreq, attentionScaling }: RopeTable,
  { key, values }: EngineDump,
  arrangement: Arrangement,
  firstPosition: number,
  tolerance: number,
): Compared {
  const { widthInPairs, column } = ARRANGEMENTS[arrangement];
  const width = widthInPairs * invFreq.length;
  let partsFrom: number | null = null;
  let worst = { pair: 0, position: firstPosition, expected: 0, found: 0, difference: -1 };
  values.forEach((found, index) => {
    const position = firstPosition + Math.floor(index / width);
    const { pair, sine } = column(index % width, invFreq.length);
    const angle = position * (invFreq[pair] ?? 0);
    const expected = attentionScaling * (sine || key === 'sin' ? Math.sin(angle) : Math.cos(angle));
    const difference = Math.abs(found - expected);
    if (difference > worst.difference) worst = { pair, position, expected, found, difference };
    if (difference > tolerance) partsFrom ??= position;
  });
  return { arrangement, partsFrom, worst };
}

function closest(results: readonly Compared[]): Compared | undefined {
  return results.reduce<Compared | undefined>(
    (best, next) =>
      best === undefined || next.worst.difference < best.worst.difference ? next : best,
    undefined,
  );
}
