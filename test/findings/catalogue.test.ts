import { describe, expect, it } from 'vitest';
import { CATALOGUE, finding, findingName, wordFinding } from '../../src/findings/index.js';

describe('the catalogue of findings', () => {
  it('has one entry per code and name', () => {
    const entries = [...CATALOGUE.values()];
    for (const entry of entries) expect(entry.code).toMatch(/^RE\d{3}$/);
    const names = entries.map(({ code, severity }) =>
      findingName({ code, severity, path: '', args: {} }),
    );
    expect(new Set(names).size).toBe(entries.length);
  });

  it.each([...CATALOGUE.values()].map((entry) => [entry.code, entry] as const))(
    '%s explains itself',
    (_code, entry) => {
      expect(entry.explanation.length).toBeGreaterThan(40);
      expect(entry.affects).not.toBe('');
      expect(Object.isFrozen(entry)).toBe(true);
    },
  );

  it('takes the arguments of its entry alone', () => {
    // @ts-expect-error a misspelt argument
    finding('factor_below_one', 'rope_scaling.factor', { faktor: 0.5 });
    // @ts-expect-error words for a number
    finding('factor_below_one', 'rope_scaling.factor', { factor: '0.5' });
    // @ts-expect-error a missing argument
    finding('mscale_alone', 'rope_scaling.mscale', { given: 'mscale' });
    // @ts-expect-error no such finding
    expect(() => finding('factor_below_two', 'rope_scaling.factor', { factor: 0.5 })).toThrow();
    const found = finding('unknown_key', 'rope_scaling.facor', { type: 'yarn' });
    expect(found).toMatchObject({ code: 'RE009', severity: 'warning', args: { type: 'yarn' } });
  });

  it.each([
    ['another type', { factor: '0.5' }],
    ['nothing', {}],
    ['what an object inherits', Object.create({ factor: 0.5 })],
  ])('words a saved finding with %s by its title', (_what, args) => {
    const saved = { code: 'RE001', severity: 'warning' as const, path: 'factor', args };
    expect(wordFinding(saved)).toBe('factor: factor below 1');
  });

  it('words a saved finding that no entry has by its code', () => {
    expect(wordFinding({ code: 'RE999', severity: 'notice', path: '', args: {} })).toBe('RE999');
  });
});
