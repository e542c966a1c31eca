import { describe, expect, it } from 'vitest';
import { annotations, stepSummary } from '../../src/report/forms/github.js';

describe('annotations', () => {
  it('point at a file and a line', () => {
    const list = [
      { severity: 'error', title: 'RE001', message: 'too small', file: 'config.json', line: 12 },
      { severity: 'notice', title: 'gate', message: 'passed' },
    ] as const;
    expect(annotations(list)).toBe(
      '::error file=config.json,line=12,title=RE001::too small\n::notice title=gate::passed\n',
    );
  });

  it('cannot be ended by what they hold', () => {
    const list = [{ severity: 'warning', title: 'a,b:c', message: '50 %\n::error::x' }] as const;
    expect(annotations(list)).toBe('::warning title=a%2Cb%3Ac::50 %25%0A::error::x\n');
  });
});

describe('the step summary', () => {
  it('is left alone where it fits', () => {
    expect(stepSummary('# short')).toBe('# short');
  });

  it('is cut at a line below the cap, in bytes, and says so', () => {
    const cut = stepSummary('größer\n'.repeat(200), 1000);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1000);
    expect(cut).toMatch(/größer\n\n_Cut here/);
    expect(cut).not.toContain('\ufffd');
  });
});
