import { describe, expect, it } from 'vitest';
import { mergeSweeps, parseSweep } from '../../src/gate/merge.js';
import type { Sweep } from '../../src/gate/sweep-schema.js';
import { makeReport } from '../helpers/report.js';

function part(index: number, configs: string[], more: Partial<Sweep> = {}) {
  const sweep: Sweep = {
    schemaVersion: '1.0',
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
    expect(() => mergeSweeps([part(1, ['a']), part(1, ['a'])])).toThrow(/both hold shard 1\/2/);
  });

  it('refuses parts of different sweeps', () => {
    expect(() => mergeSweeps([part(1, ['a']), part(2, ['b'], { configsTotal: 9 })])).toThrow(
      /not parts of one sweep: number of configs 3 and 9/,
    );
  });

  it('says what a single report is good for', () => {
    expect(() => parseSweep(JSON.stringify(makeReport()), 'r.json')).toThrow(
      /not a part of a sweep/,
    );
  });
});
