import { describe, expect, it } from 'vitest';
import { CATALOGUE, finding, wordFinding } from '../../src/findings/index.js';

describe('the catalogue of findings', () => {
  it('has one entry per code and kind', () => {
    const entries = [...CATALOGUE.values()];
    expect(new Set(entries.map((entry) => entry.kind)).size).toBe(entries.length);
    for (const entry of entries) expect(entry.code).toMatch(/^RE\d{3}$/);
  });

  it.each([...CATALOGUE.values()].map((entry) => [entry.code, entry] as const))(
    '%s explains itself',
    (_code, entry) => {
      expect(entry.explanation.length).toBeGreaterThan(40);
      expect(entry.affects).not.toBe('');
      expect(Object.isFrozen(entry)).toBe(true);
    },
  );

  it('words a finding as path and sentence', () => {
    expect(wordFinding(finding('factor_below_one', 'rope_scaling.factor', { factor: 0.5 }))).toBe(
      'rope_scaling.factor: factor 0.5 shortens the window; a factor is at least 1',
    );
  });
});
