import { expect, it } from 'vitest';
import { parseResults, readResults } from '../../tools/validation/results.js';

const model = '"model": {"head_dim": 128, "rope_theta": 1e4, "trained_context": 2048}';

it('NaN and Infinity, as Python writes them, are values; in a text they stay text', () => {
  const [table] = parseResults(
    `[{"id": "NaN: \\"NaN", "metric": "ppl", ${model}, "rows": [{"value": NaN}, {"value": Infinity}]}]`,
    'file',
  );
  expect(table).toMatchObject({ id: 'NaN: "NaN', rows: [{ value: 'NaN' }, { value: 'Infinity' }] });
});

it('a single table needs no list', () => {
  expect(parseResults(`{"metric": "ppl", ${model}, "rows": []}`, 'file')).toHaveLength(1);
});

it('something that is no table is listed, the others are read', () => {
  const entries = parseResults(
    `[{"id": "no rows"}, 5, {"metric": "ppl", ${model}, "rows": [{"method": "none", "eval_length": 2048, "value": 5}]}]`,
    'file',
  );
  const { rows, unused } = readResults(entries);
  expect(rows).toHaveLength(1);
  expect(unused.map((u) => u.entry)).toEqual(['table 1', 'table 2']);
  expect(unused[0]!.reason).toContain('rows');
});

it('an empty table is listed', () => {
  const { unused } = readResults(parseResults(`[{"id": "a", "rows": []}]`, 'file'));
  expect(unused).toEqual([{ entry: 'a', row: 'no rows', reason: 'the table is empty' }]);
});

it.each(['{', '"text"', '{"id": "a"}', ''])('%s is refused by name', (text) => {
  expect(() => parseResults(text, 'results.json')).toThrow(/^results\.json: /);
});
