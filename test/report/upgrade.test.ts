import { expect, it } from 'vitest';
import { parseReport } from '../../src/gate/baseline.js';
import { upgradeReport } from '../../src/report/schema/report.js';
import { makeReport } from '../helpers/report.js';

/** Converts a report to the form in which version 1.6 saved it. */
function older(): Record<string, unknown> {
  const { subject, ...rest } = makeReport();
  const { kind, ...probeModel } = subject;
  expect(kind).toBe('probe-model');
  return { ...rest, schemaVersion: '1.6', probeModel };
}

it('reads a report of version 1 as the present one', () => {
  expect(parseReport(JSON.stringify(older()), 'old.json')).toEqual(makeReport());
});

it.each([
  ['of the present version', makeReport()],
  ['of a version to come', { ...older(), schemaVersion: '1.7' }],
  ['no report', [1, 2]],
])('leaves what is %s as it is', (_, value) => {
  expect(upgradeReport(value)).toBe(value);
});
