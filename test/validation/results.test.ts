import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pairs } from '../../tools/validation/agreement.js';
import { formulaTerms } from '../../tools/validation/formulas.js';
import { parseResults, readResults } from '../../tools/validation/results.js';

function read(name: string) {
  const path = new URL(name, import.meta.url);
  const entries = parseResults(readFileSync(path, 'utf8'), name);
  const total = entries.reduce(
    (sum, e) => sum + ('rows' in e ? (e.rows as unknown[]).length : 0),
    0,
  );
  return { ...readResults(entries), total };
}

it('reads every spelling of what can be compared', () => {
  const { rows, unused, total } = read('usable.json');
  expect(unused).toEqual([]);
  expect(rows).toHaveLength(total);
  for (const row of rows)
    for (const term of Object.values(formulaTerms(row))) expect(term).toBeGreaterThanOrEqual(0);
});

it('lists every row that cannot be used, with the reason', () => {
  const { rows, unused, total } = read('unusable.json');
  expect(rows).toEqual([]);
  expect(unused).toHaveLength(total);
  expect(unused.map((u) => `${u.entry}: ${u.row}: ${u.reason}`).join('\n')).toMatchSnapshot();
});

it('every row of the calibration tables is read or listed', () => {
  const { rows, unused, total } = read('../../fixtures/published/results.json');
  expect(rows.length + unused.length).toBe(total);
  expect(rows).toHaveLength(84);
});

it('every row measured on real text is read', () => {
  const { rows, unused } = read('../../fixtures/measured/real-text.json');
  expect(unused).toEqual([]);
  expect(rows).toHaveLength(10 * 67);
});

it('fractions and percent become shares of 1, series by series', () => {
  const { rows } = read('usable.json');
  const values = (entry: string) => rows.filter((r) => r.entry === entry).map((r) => r.high);
  expect(values('passkey-percent')).toEqual([0.005, 0.87, 0.05, 1]);
  expect(values('needle-fraction-partial-rotary')).toEqual([0, 0.93, 0.41]);
});

it('bits become nats', () => {
  const row = read('usable.json').rows.find((r) => r.entry === 'bits')!;
  expect(row.low).toBeCloseTo(4.6 * Math.LN2, 12);
});

it('a partly rotary head has the rotated dimensions alone', () => {
  const { rows } = read('usable.json');
  const partial = rows.find((r) => r.entry === 'needle-fraction-partial-rotary')!;
  expect(partial.geometry.rotaryDim).toBe(64);
  // hidden size / heads where head_dim is not given
  expect(rows.find((r) => r.entry === 'censored-perplexity')!.geometry.rotaryDim).toBe(64);
});

it('rows of different tasks are no pair', () => {
  const { rows } = read('usable.json');
  expect(pairs(rows.filter((r) => r.entry === 'tasks-apart'))).toEqual([]);
  expect(pairs(rows.filter((r) => r.entry === 'single-row'))).toEqual([]);
});

it('dynamic scalings have the factor of their length', () => {
  const row = (method: string, params = {}) => ({ method, params, eval_length: 8192, value: 5 });
  const { rows } = readResults([
    {
      model: { head_dim: 128, rope_theta: 1e4, trained_context: 2048 },
      metric: 'ppl',
      finetuned: false,
      rows: [
        row('dynamic ntk'),
        row('dynamic yarn'),
        row('dynamic ntk', { factor: 2 }),
        row('none'),
      ],
    },
  ]);
  // transformers: alpha = F n / W - (F - 1)
  expect(rows.map((r) => r.factor)).toEqual([4, 4, 7, 1]);
});

it('tables of one name stay apart', () => {
  const table = (value: number) => ({
    id: 'same',
    model: { head_dim: 128, rope_theta: 1e4, trained_context: 2048 },
    metric: 'ppl',
    finetuned: false,
    rows: [
      { method: 'none', eval_length: 4096, value },
      { method: 'yarn:2', eval_length: 4096, value: 5 },
    ],
  });
  const { rows } = readResults([table(9), table(5)]);
  expect(rows.map((r) => r.entry)).toEqual(['same', 'same', 'same (2)', 'same (2)']);
  expect(pairs(rows)).toHaveLength(1);
});
