import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import type { GateOutcome, RuleOutcome } from '../../src/report/forms/form.js';
import { junit } from '../../src/report/forms/junit.js';
import type { Report } from '../../src/report/schema/report.js';
import { candidate, makeReport, short } from '../helpers/report.js';

interface Case {
  readonly name: string;
  readonly failure?: { readonly message: string };
  readonly skipped?: { readonly message: string };
}
interface Suites {
  readonly testsuites: {
    readonly tests: string;
    readonly failures: string;
    readonly skipped: string;
    readonly testsuite: { readonly testcase: readonly Case[] };
  };
}

function parse(report: Report, gate?: GateOutcome): Suites['testsuites'] {
  const xml = junit(report, { color: false, columns: 100, plots: true, ...(gate ? { gate } : {}) });
  expect(XMLValidator.validate(xml)).toBe(true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (name) => name === 'testcase',
  });
  return (parser.parse(xml) as Suites).testsuites;
}

const rule = (status: RuleOutcome['status'], level: RuleOutcome['level']): RuleOutcome => ({
  rule: 'needle@131072 >= 0.8',
  level,
  status,
  candidate: 'as-configured',
  message: 'found 0.5',
});

describe('JUnit', () => {
  it('asks of every candidate whether it reaches the target', () => {
    const suites = parse(makeReport());
    expect([suites.tests, suites.failures, suites.skipped]).toEqual(['4', '2', '0']);
    const failed = suites.testsuite.testcase.filter(({ failure }) => failure);
    expect(failed.map(({ name }) => name)).toEqual([
      'linear:4 reaches 131,072 tokens',
      'ntk:4 reaches 131,072 tokens',
    ]);
  });

  it('skips what was not finished', () => {
    const unfinished = { ...candidate('yarn:4', 'falls-short', 4, short(0, 0)), reach: null };
    expect(parse(makeReport({ candidates: [unfinished] })).skipped).toBe('1');
  });

  it('takes the rules of a gate where one ran; a warning fails nothing', () => {
    const rules = [
      rule('passed', 'error'),
      rule('failed', 'error'),
      rule('unverifiable', 'error'),
      rule('failed', 'warn'),
    ];
    const suites = parse(makeReport(), { verdict: 'failed', rules });
    expect([suites.tests, suites.failures, suites.skipped]).toEqual(['4', '2', '1']);
    expect(suites.testsuite.testcase[2]?.failure?.message).toBe('unverifiable: found 0.5');
  });

  it('stays well-formed whatever a config brings', () => {
    const label = '<a href="x">&\u0000\u001b\ud800]]>';
    const config = { ...makeReport().config, source: label };
    const candidates = [candidate(label, 'falls-short', 1, short(0, 0))];
    expect(parse(makeReport({ config, candidates })).failures).toBe('1');
  });
});
