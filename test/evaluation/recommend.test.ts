import { expect, it } from 'vitest';
import { recommend } from '../../src/evaluation/recommendation.js';
import type { CandidateReport, Verdict } from '../../src/report/schema/report.js';

function row(label: string, score: number | null, multiple: number, verdict: Verdict) {
  return { label, score, reach: { multiple }, verdict } as CandidateReport;
}
const reference = (score: number, multiple: number) => row('none', score, multiple, 'reference');
const never = () => false;

it('takes the lowest score among those that reach, whatever it costs', () => {
  const rows = [
    reference(1, 1),
    row('a', 0.3, 4, 'reaches'),
    row('b', 0.1, 4, 'reaches-at-a-cost'),
    row('c', 0.01, 2, 'falls-short'),
    row('d', 0.01, 4, 'unclear'),
  ];
  const found = { code: 'use-at-a-cost', candidate: 'b' };
  expect(recommend(rows, 4, never)).toEqual({ ...found, tied: [] });
  const close = (a: CandidateReport, b: CandidateReport) => a.label === 'b' && b.label === 'a';
  expect(recommend(rows, 4, close)).toEqual({ ...found, tied: ['a'] });
});

it('falls back on what is undecided, then on what gets farthest', () => {
  const rows = [reference(1, 1), row('a', 0.3, 3, 'falls-short'), row('b', 0.4, 3.5, 'unclear')];
  expect(recommend(rows, 4, never)).toMatchObject({ code: 'unclear', candidate: 'b' });
  expect(recommend(rows.slice(0, 2), 4, never)).toMatchObject({
    code: 'none-reaches',
    candidate: 'a',
  });
  expect(recommend([reference(1, 1)], 4, never)).toMatchObject({
    code: 'none-reaches',
    candidate: null,
  });
});

it('leaves it open on weights that find no facts without a scaling', () => {
  const rows = [reference(1, 0), row('a', 0.3, 0, 'unclear'), row('b', 0.2, 0, 'unclear')];
  expect(recommend(rows, 4, never)).toEqual({ code: 'unclear', candidate: null, tied: [] });
});

it('names nobody where all lose facts within the window, and of equals the lower score', () => {
  const lost = [reference(1, 1), row('a', 0.3, 0, 'fails-short'), row('b', 0.2, 0, 'fails-short')];
  expect(recommend(lost, 4, never)).toMatchObject({ code: 'none-reaches', candidate: null });
  const equal = [reference(1, 1), row('a', 0.3, 2, 'falls-short'), row('b', 0.2, 2, 'falls-short')];
  expect(recommend(equal, 4, never)).toMatchObject({ code: 'none-reaches', candidate: 'b' });
});

it('keeps what holds at the target and is not clearly outdone', () => {
  const keep = { code: 'keep', candidate: 'none', tied: [] };
  const better = (score: number) => [reference(0.3, 4), row('a', score, 4, 'reaches')];
  expect(recommend(better(0.4), 4, never)).toEqual(keep);
  expect(recommend(better(0.27), 4, never)).toEqual(keep);
  expect(recommend(better(0.1), 4, () => true)).toEqual(keep);
  expect(recommend([reference(0.3, 4), row('a', null, 4, 'unclear')], 4, never)).toEqual(keep);
});

it('does not keep a reference whose facts hold while its language is lost', () => {
  const rows = [reference(0.3, 2), row('a', 0.05, 2, 'reaches'), row('b', 0.02, 1, 'falls-short')];
  expect(recommend(rows, 2, never)).toEqual({ code: 'use', candidate: 'a', tied: [] });
});

it('keeps the config within the trained window and where no layer looks farther', () => {
  const rows = [reference(0.3, 1), row('a', 0.05, 1, 'reaches')];
  expect(recommend(rows, 1, never).code).toBe('keep');
  const local = [reference(0.3, 0), row('a', 0.05, 0, 'not-needed')];
  expect(recommend(local, 4, never).code).toBe('keep');
});

it('says nothing about candidates that the run did not come to', () => {
  const rows = [
    reference(1, 1),
    row('a', 0.3, 0, 'fails-short'),
    { ...row('b', null, 0, 'unclear'), reach: null },
  ];
  expect(recommend(rows, 4, never)).toEqual({ code: 'unclear', candidate: null, tied: [] });
});
