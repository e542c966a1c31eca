import type { ProbedReport, Report } from '../report/schema/report.js';

/** How far the probe model and the user's own weights agree about the same scalings. */
export function tiersOf(
  probed: Report,
  measured: Report,
): Pick<ProbedReport, 'rankCorrelation' | 'shortCostRatio'> {
  const pairs = measured.candidates
    .filter(({ role }) => role === 'candidate')
    .flatMap((own) => {
      const other = probed.candidates.find(({ label }) => label === own.label);
      return other ? [{ own, other }] : [];
    });
  const cells = pairs.flatMap(({ own, other }) =>
    own.needle.flatMap(({ multiple, lossChange }) => {
      const same = other.needle.find((rung) => Math.abs(rung.multiple - multiple) < 1e-9);
      return same ? [[same.lossChange.value, lossChange.value] as const] : [];
    }),
  );
  const costs = pairs.flatMap(({ own, other }) =>
    own.short && other.short
      ? [[other.short.lossChange.value, own.short.lossChange.value] as const]
      : [],
  );
  return { rankCorrelation: spearman(cells), shortCostRatio: slope(costs) };
}

type Pair = readonly [probed: number, measured: number];

/** Spearman's rank correlation; ties share their mean rank. null: fewer than three pairs. */
export function spearman(pairs: readonly Pair[]): number | null {
  if (pairs.length < 3) return null;
  const [a, b] = [ranks(pairs.map(([x]) => x)), ranks(pairs.map(([, y]) => y))];
  const mean = (pairs.length + 1) / 2;
  const sum = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((total, value, i) => total + (value - mean) * (y[i]! - mean), 0);
  const spread = Math.sqrt(sum(a, a) * sum(b, b));
  return spread === 0 ? null : sum(a, b) / spread;
}

function ranks(values: readonly number[]): number[] {
  return values.map(
    (value) =>
      values.filter((other) => other < value).length +
      (values.filter((other) => other === value).length + 1) / 2,
  );
}

/** Least-squares factor from the probe's costs to the measured ones; null where it sees none. */
function slope(pairs: readonly Pair[]): number | null {
  const square = pairs.reduce((sum, [x]) => sum + x * x, 0);
  if (square < 1e-6) return null;
  return pairs.reduce((sum, [x, y]) => sum + x * y, 0) / square;
}
