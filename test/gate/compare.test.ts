import { describe, expect, it } from 'vitest';
import { compareReports } from '../../src/gate/baseline.js';
import { candidate, makeReport, short } from '../helpers/report.js';

const names = { before: 'a.json', after: 'b.json' };

describe('two reports side by side', () => {
  it('shows the largest clear change first', () => {
    const after = makeReport({
      candidates: makeReport().candidates.map((each) =>
        each.label === 'ntk:4' ? candidate('ntk:4', 'falls-short', 3, short(-0.004, 0.4)) : each,
      ),
    });
    const { cells, paired } = compareReports(makeReport(), after, names);
    expect(paired).toBe(true);
    expect(cells[0]).toMatchObject({ candidate: 'ntk:4', cell: 'short.lossChange', clear: true });
  });

  it('compares different models by multiples, and says what differs', () => {
    const small = makeReport();
    const shorter = {
      ...small,
      config: { ...small.config, sha256: 'e'.repeat(64) },
      reference: { ...small.reference, trainedWindow: 4096 },
      candidates: small.candidates.map((each) => ({
        ...each,
        needle: each.needle.map((rung) => ({ ...rung, tokens: rung.multiple * 4096 })),
      })),
    };
    const { cells, paired, differences, onlyBefore } = compareReports(small, shorter, names);
    expect(paired).toBe(false);
    expect(differences.map((each) => each.what)).toContain('reference');
    expect(cells.map((cell) => cell.cell)).toContain('needle@4x');
    expect(onlyBefore).toEqual([]);
  });

  it('says that one of them is of an unfinished run', () => {
    const { paired, differences } = compareReports(
      makeReport(),
      makeReport({ status: 'interrupted' }),
      names,
    );
    expect(paired).toBe(false);
    expect(differences).toEqual([{ what: 'status', before: 'complete', after: 'interrupted' }]);
  });

  it('lists what only one of them has', () => {
    const after = makeReport({ candidates: makeReport().candidates.slice(0, 4) });
    expect(compareReports(makeReport(), after, names).onlyBefore).toContainEqual({
      candidate: 'yarn:4',
      cell: 'reach',
    });
  });
});
