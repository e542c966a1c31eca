import { describe, expect, it } from 'vitest';
import { text } from '../../src/report/forms/text.js';
import { honestyWords, referenceWords } from '../../src/report/sections/conditions.js';
import { candidate, makeReport, short } from '../helpers/report.js';

const plain = { color: false, columns: 100, plots: true };

describe('the terminal report', () => {
  const printed = text(makeReport(), plain);

  it('says what to use, what it assumes and what it does not claim', () => {
    expect(printed).toContain('Use dynamic:4');
    expect(printed.replaceAll(/\s+/g, ' ')).toContain(referenceWords(makeReport())[0]);
    expect(printed.replaceAll('\n', ' ')).toContain(honestyWords(makeReport()));
    expect(printed).toContain('Guessing scores');
  });

  it('keeps what was measured apart from what is exact', () => {
    const [, probed = '', exact = ''] = /Probed:([^]*)\nExact:([^]*)/.exec(printed) ?? [];
    expect(probed).toContain('critical fraction');
    expect(probed).toContain('95 % interval');
    expect(exact).toContain('Theta 1,000,000');
    expect(exact).not.toContain('95 %');
  });

  it('shows a row a candidate with values above their intervals', () => {
    expect(printed).toMatch(/yarn:4 +−1\.2 pts +\+0\.042 +98 % +98 % +98 % +≥ 131,072 +\+0\.02 /);
    expect(printed).toMatch(/\n +−2\.0 … −0\.4 +\+0\.036 … \+0\.048 +3\.5 … 4x/);
  });

  it.each([80, 100, 140])('fits into %d columns', (columns) => {
    const lines = text(makeReport(), { ...plain, columns }).split('\n');
    const long = lines.filter((line) => [...line].length > columns && !/"|^Next,/.test(line));
    expect(long).toEqual([]);
  });

  it('says so where columns had to go', () => {
    const wider = 'Some columns need a wider terminal';
    expect(text(makeReport(), { ...plain, columns: 80 })).toContain(wider);
    expect(printed).not.toContain(wider);
  });

  it('wraps the label of a candidate with parameters', () => {
    const label = 'yarn:4:beta_fast=32:beta_slow=1';
    const candidates = [
      candidate('none', 'reference', 1, short(0, 0)),
      candidate(label, 'reaches', 4, short(0, 0)),
    ];
    const lines = text(makeReport({ candidates }), plain).split('\n');
    expect(lines.filter((line) => [...line].length > 100)).toEqual([]);
  });

  it('draws accuracy by length and distance, readable without colour', () => {
    expect(printed).toMatch(/\ndynamic:4\n +32k █ 98 /);
    const missed = text(
      makeReport({ recommendation: { code: 'use', candidate: 'none', tied: [] } }),
      plain,
    );
    expect(missed).toMatch(/128k █ 98 .*▁ {2}6/);
  });

  it('shows what is missing of an unfinished run', () => {
    const unfinished = {
      ...candidate('yarn:4', 'unclear', 4, short(0, 0)),
      short: null,
      reach: null,
      needle: [],
    };
    const report = makeReport({ status: 'interrupted', candidates: [unfinished] });
    expect(text(report, plain)).toMatch(/yarn:4 +– +– +– +– +– +– +– +unclear/);
    expect(text(report, plain)).toContain('Interrupted: ');
  });

  it('prints no escapes that came with the config', () => {
    const config = { ...makeReport().config, architecture: 'Evil\u001b]0;x\u0007', source: 'a\nb' };
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(text(makeReport({ config }), plain)).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
