import { expect, it } from 'vitest';
import { scoreWords } from '../../src/report/sections/summary.js';
import { candidate, makeReport, short } from '../helpers/report.js';

const row = (label: string, score: number | null) => ({
  ...candidate(label, 'reaches', 4, short(0, 0)),
  score,
});

it('scores are listed from the best, and those that were not measured left out', () => {
  const candidates = [row('none', 0.7), row('ntk:4', null), row('yarn:4', 0.031)];
  expect(scoreWords(makeReport({ candidates }))).toMatch(/: yarn:4 \+0\.031, none \+0\.700\.$/);
});

it('a report without a score says nothing', () => {
  expect(scoreWords(makeReport({ candidates: [row('none', null)] }))).toBe('');
});
