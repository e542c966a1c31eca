import { mean } from '../../src/probes/measure.js';
import type { CandidateReport, PerContext, Report } from '../../src/report/schema/report.js';
import { interval, makeReport } from './report.js';

const FIFTHS = 5;
const ANSWERS = 4;
const TOKENS = 100;

export interface Contributions {
  /** Answers found out of 4 in each context, at every distance of every rung. */
  readonly needle: readonly (readonly number[])[];
  /** Summed loss of 100 tokens of text in each context, in nats. */
  readonly text: readonly number[];
}

const row = (values: readonly number[]): string => values.join(' ');

/**
 * Makes a report with a reference that finds everything at a loss of 2 nats, and one candidate with
 * the given contributions of its contexts.
 */
export function reportOf(
  own: Contributions,
  changes: Partial<Report> = {},
  sha256 = 'f'.repeat(64),
): Report {
  const size = own.text.length;
  const perfect: Contributions = {
    needle: own.needle.map(() => Array.from({ length: size }, () => ANSWERS)),
    text: Array.from({ length: size }, () => 2 * TOKENS),
  };
  const [reference, other] = makeReport().candidates;
  const report = makeReport(changes);
  const perContext: PerContext = {
    sha256,
    counts: {
      ...shortRows(size, ANSWERS),
      text: row(perfect.text.map(() => TOKENS)),
      needle: perfect.needle.map((rung) => Array.from({ length: FIFTHS }, () => row(rung))),
    },
    candidates: [rowsOf('none', perfect), rowsOf('yarn:4', own)],
  };
  return {
    ...report,
    candidates: [
      candidateOf({ ...reference!, label: 'none' }, perfect, perfect),
      candidateOf({ ...other!, label: 'yarn:4' }, own, perfect),
    ],
    perContext,
  };
}

function shortRows(size: number, each: number) {
  const facts = row(Array.from({ length: size }, () => each));
  return { facts, copies: facts };
}

function rowsOf(label: string, { needle, text }: Contributions): PerContext['candidates'][number] {
  const { facts, copies } = shortRows(text.length, ANSWERS);
  return {
    label,
    short: { facts, copies, copyLoss: facts, textLoss: row(text) },
    needle: needle.map((rung) => Array.from({ length: FIFTHS }, () => row(rung))),
    local: [],
  };
}

/**
 * Computes the report's own cells from the same figures, with intervals as wide as in a small run.
 */
function candidateOf(
  candidate: CandidateReport,
  { needle, text }: Contributions,
  reference: Contributions,
): CandidateReport {
  const average = (values: readonly number[], count: number): number =>
    mean(
      values.map((sum) => ({ sum, count })),
      values.map((_, c) => c),
    );
  const failing = needle.findIndex((rung) => average(rung, ANSWERS) < 0.5);
  const held = (failing < 0 ? needle.length : failing) - 1;
  const lossChange = average(text, TOKENS) - average(reference.text, TOKENS);
  return {
    ...candidate,
    short: {
      ...candidate.short!,
      accuracyChange: interval(0, 0.05),
      lossChange: interval(lossChange, 0.05),
      copyAccuracyChange: interval(0, 0.05),
      copyLossChange: interval(0, 0.05),
    },
    needle: needle.map((rung, r) => ({
      ...candidate.needle[r]!,
      accuracy: interval(average(rung, ANSWERS), 0.05),
    })),
    reach: {
      ...candidate.reach!,
      multiple: candidate.needle[held]?.multiple ?? 0,
      low: 0,
      high: 4,
    },
  };
}
