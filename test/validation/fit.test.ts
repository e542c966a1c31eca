import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pairs, publishedChanges } from '../../tools/validation/agreement.js';
import {
  fitFormula,
  fitScale,
  judgeFormulas,
  leaveOneFactorOut,
  mostAgreeing,
} from '../../tools/validation/fit.js';
import { FORMULA_WEIGHTS, formulaTerms } from '../../tools/validation/formulas.js';
import { parseResults, readResults } from '../../tools/validation/results.js';
import { llamaRows } from './rows.js';

const path = new URL('../../fixtures/published/results.json', import.meta.url);
const { rows } = readResults(parseResults(readFileSync(path, 'utf8'), 'results.json'));
const evidence = { pairs: pairs(rows), changes: publishedChanges(rows) };
const terms = new Map(rows.map((row) => [row, formulaTerms(row)]));

it('the declared weights are those that the calibration tables give, rounded', () => {
  const fitted = fitFormula(evidence, terms);
  for (const key of ['outOfRange', 'nearOrder', 'spread'] as const)
    expect(Math.abs(fitted[key] / FORMULA_WEIGHTS[key] - 1)).toBeLessThan(0.05);
});

it('without evidence the weights stay as declared', () => {
  expect(fitFormula({ pairs: [], changes: [] }, terms)).toEqual(FORMULA_WEIGHTS);
});

it('the formula is a rival: it orders nine in ten pairs of the calibration tables', () => {
  const { variants } = judgeFormulas(rows, evidence);
  const [whole] = variants;
  expect(whole!.sameFactor.agree / whole!.sameFactor.total).toBeGreaterThan(0.9);
  expect(whole!.leftOut.pairs.agree / whole!.leftOut.pairs.total).toBeGreaterThan(0.9);
});

it('of equally good weights the middle one is taken', () => {
  const list = pairs(
    llamaRows([
      { method: 'yarn:2', length: 4096, value: 4 },
      { method: 'linear:2', length: 4096, value: 9 },
    ]),
  );
  const chosen = mostAgreeing(
    list,
    [1, 2, 3, 4, 5],
    (w) => (row) => (row.method === 'linear' ? w : 2.5),
  );
  expect(chosen).toBe(4);
});

it('a factor is judged by weights that have not seen it, each pair once', () => {
  const seen: (number | null)[][] = [];
  const left = leaveOneFactorOut(evidence, (e) => {
    seen.push([...new Set(e.pairs.flatMap((p) => [p.a.factor, p.b.factor]))]);
    return (row) => (row.method === 'linear' ? 1 : 0);
  });
  for (const factor of [2, 4, 8, 16])
    expect(seen.filter((factors) => !factors.includes(factor))).toHaveLength(1);
  expect(left.pairs.total).toBe(evidence.pairs.filter((p) => p.sameFactor).length);
  expect(left.changes.total).toBe(evidence.changes.length);
});

it('the scale is the median of published over predicted, bounds left out', () => {
  const changes = [0.1, 0.2, 0.4].map((nats) => ({ row: rows[0]!, nats, bound: false }));
  const bound = { row: rows[0]!, nats: 5, bound: true };
  expect(fitScale([...changes, bound], () => 0.1)).toBeCloseTo(2, 9);
  expect(fitScale(changes.slice(0, 2), () => 0.1)).toBe(1);
});

it('predictions that most scalings cost nothing, or less, give no scale', () => {
  const changes = publishedChanges(
    llamaRows(
      ['none', 'linear:2', 'linear:4', 'yarn:4'].map((method, i) => ({
        method,
        length: 2048,
        value: 2 + i / 10,
      })),
      'loss',
    ),
  );
  expect(fitScale(changes, () => 0.1)).toBeCloseTo(2, 6);
  // A scale below 0 would turn the order of all scalings round.
  expect(fitScale(changes, () => -0.1)).toBe(1);
  expect(fitScale(changes, () => 0)).toBe(1);
});
