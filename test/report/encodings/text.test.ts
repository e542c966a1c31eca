import { describe, expect, it } from 'vitest';
import { encodingsSections } from '../../../src/encodings/sections.js';
import { markdownOf } from '../../../src/report/forms/markdown.js';
import { textOf } from '../../../src/report/terminal.js';
import { makeEncodingsReport } from '../../helpers/encodings.js';

const wide = { color: false, columns: 100, plots: true };

describe('a comparison of position encodings as text', () => {
  const text = textOf(encodingsSections(makeEncodingsReport()), wide);
  const line = (start: RegExp): string[] => text.split('\n').filter((l) => start.test(l));

  it('has a row an encoding in each of its tables', () => {
    expect(line(/^ALiBi /)).toEqual([
      expect.stringMatching(/^ALiBi +98 % +90 % +80 % +70 % +≥ 8x$/),
      expect.stringMatching(/^ALiBi +(100 ){5} +(90 ){5} +(80 ){5} +70 70 70 70 70$/),
      expect.stringMatching(/^ALiBi +0\.250 +0\.000 +\+0\.125 +\+0\.250 +\+0\.375$/),
    ]);
    expect(line(/^RoPE, yarn:4/)).toHaveLength(3);
  });

  it('says where a learned table ends, and invents nothing there', () => {
    expect(line(/^learned absolute/)[0]).toMatch(/97 % +no entry +no entry +no entry/);
    expect(text).toMatch(/\b256\b/);
  });

  it('gives no reach to what found nothing at 1x', () => {
    expect(line(/^sinusoidal/)[0]).toMatch(/chance at 1x$/);
  });

  it('fits the terminal, or says what it needs', () => {
    for (const columns of [60, 80, 100]) {
      const lines = textOf(encodingsSections(makeEncodingsReport()), { ...wide, columns }).split(
        '\n',
      );
      for (const one of lines) expect(one.length).toBeLessThanOrEqual(columns);
    }
  });
});

it('is the same table in Markdown', () => {
  const text = markdownOf(encodingsSections(makeEncodingsReport()), wide);
  expect(text).toContain('| ALiBi | 98 % | 90 % | 80 % | 70 % | ≥ 8x |');
  expect(text).toContain('| learned absolute | 97 % | no entry | no entry | no entry | 1x |');
});
