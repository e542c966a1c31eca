import { describe, expect, it } from 'vitest';
import { stepSummary } from '../../src/cli/github.js';

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
