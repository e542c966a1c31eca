import { describe, expect, it } from 'vitest';
import { mergeSweeps, parseSweep, type Sweep } from '../../src/gate/sweep.js';
import { caught, errorAt, optionsIn } from '../helpers/errors.js';
import { makeReport } from '../helpers/report.js';

function part(index: number, configs: string[], more: Partial<Sweep> = {}) {
  const sweep: Sweep = {
    schemaVersion: '1.1',
    tool: { name: 'rope-eval', version: '0.1.0' },
    status: 'complete',
    shards: { count: 2, present: [index] },
    configsTotal: 3,
    entries: configs.map((config) => ({ config, report: makeReport() })),
    ...more,
  };
  return { source: `part-${index}.json`, sweep };
}

describe('merging a sweep', () => {
  it('joins the parts, sorted by config', () => {
    const { sweep, missing } = mergeSweeps([part(2, ['b']), part(1, ['c', 'a'])]);
    expect(sweep.entries.map((entry) => entry.config)).toEqual(['a', 'b', 'c']);
    expect(sweep).toMatchObject({ status: 'complete', shards: { present: [1, 2] } });
    expect(missing).toEqual([]);
  });

  it('names the shards that are missing', () => {
    const { sweep, missing } = mergeSweeps([part(2, ['b'])]);
    expect(missing).toEqual([1]);
    expect(sweep.status).toBe('interrupted');
  });

  it('refuses a part twice', () => {
    expect(() => mergeSweeps([part(1, ['a']), part(1, ['a'])])).toThrow(
      errorAt('duplicate_shard', { file: 'part-1.json' }),
    );
  });

  it('refuses parts of different sweeps', () => {
    expect(() => mergeSweeps([part(1, ['a']), part(2, ['b'], { configsTotal: 9 })])).toThrow(
      errorAt('not_comparable', { file: 'part-1.json' }),
    );
  });

  it.each([
    ['preset', { preset: 'quick' }, /preset: standard in part-1.json, quick in/],
    ['seed', { seed: 9 }, /seed: 0 in part-1.json, 9 in/],
    [
      'samples',
      { contexts: { ...makeReport().settings.contexts, long: 3 } },
      /samples: .* in part-1.json, .*3 long/,
    ],
  ] as const)('refuses parts of another %s', (_what, settings, message) => {
    const report = makeReport();
    const other = {
      config: 'b',
      report: { ...report, settings: { ...report.settings, ...settings } },
    };
    expect(() => mergeSweeps([part(1, ['a', 'c']), part(2, [], { entries: [other] })])).toThrow(
      expect.objectContaining({ exitCode: 3, message: expect.stringMatching(message) }),
    );
  });

  it('refuses parts of other options, also where the first says nothing', () => {
    const settings = { target: 65_536, candidates: ['yarn:2'] };
    const more = { target: null, candidates: null };
    const silent = part(3, [], { shards: { count: 3, present: [3] } });
    const parts = [settings, more].map((each, index) =>
      part(index + 1, ['a'], { settings: each, shards: { count: 3, present: [index + 1] } }),
    );
    const error = caught(() => mergeSweeps([silent, ...parts]));
    expect(error).toEqual(errorAt('not_comparable', { file: 'part-1.json' }));
    expect(optionsIn(error).slice(0, 2)).toEqual(['target', 'candidates']);
  });

  it('reads parts of the version before settings', () => {
    const old = part(1, ['a', 'c'], { schemaVersion: '1.0' });
    expect(parseSweep(JSON.stringify(old.sweep), 'p.json').settings).toBeUndefined();
  });

  it('names a part that was interrupted', () => {
    const half = part(1, ['a'], { status: 'interrupted' });
    const { sweep, missing, interrupted } = mergeSweeps([half, part(2, ['b'])]);
    expect({ status: sweep.status, missing, interrupted }).toEqual({
      status: 'interrupted',
      missing: [],
      interrupted: ['part-1.json'],
    });
  });

  it('completes what was merged before with a shard missing', () => {
    const { sweep } = mergeSweeps([part(1, ['a', 'c'])]);
    const whole = mergeSweeps([{ source: 'all.json', sweep }, part(2, ['b'])]);
    expect(whole).toMatchObject({ sweep: { status: 'complete' }, missing: [], interrupted: [] });
  });

  it('says what a single report is good for', () => {
    expect(() => parseSweep(JSON.stringify(makeReport()), 'r.json')).toThrow(
      errorAt('bad_sweep', { file: 'r.json' }),
    );
  });
});
