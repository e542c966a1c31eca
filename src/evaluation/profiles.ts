import type { CandidateReport } from '../report/schema/candidate.js';
import type { Report } from '../report/schema/report.js';
import { keysOf } from './recommendation.js';
import type { Setup } from './setup.js';

type Recommendation = Report['recommendation'];
type Profile = NonNullable<Recommendation['profiles']>[number];

/**
 * What a server that can switch should run for requests up to a length: of the recommended method
 * the least factor that was measured to hold there, 1 being what the weights were trained with.
 *
 * @param candidates the reference first
 * @returns undefined unless several factors of that method were measured
 */
export function requestProfiles(
  setup: Setup,
  candidates: readonly CandidateReport[],
  recommendation: Recommendation,
): Profile[] | undefined {
  const method = factorOf(setup, recommendation.candidate)?.method;
  const [reference, ...others] = candidates;
  if (method === undefined || reference === undefined) return undefined;
  const stretched = others.flatMap((report) => {
    const named = factorOf(setup, report.label);
    return named?.method === method ? [{ report, factor: named.factor }] : [];
  });
  if (new Set(stretched.map(({ factor }) => factor)).size < 2) return undefined;
  const choices = [
    { report: reference, factor: 1 },
    ...stretched.sort((a, b) => a.factor - b.factor),
  ];
  const window = setup.reference.trainedWindow;
  return multiplesUpTo(setup.target.multiple).map((multiple) => {
    const upTo = Math.round(multiple * window);
    const holds = choices.find(({ report }) => (report.reach?.multiple ?? 0) >= multiple);
    if (holds === undefined) return { upTo, candidate: null };
    const { report, factor } = holds;
    const write = report === reference ? undefined : keysOf(setup, report.label, upTo);
    return { upTo, candidate: report.label, factor, ...(write && { write }) };
  });
}

function factorOf(setup: Setup, label: string | null) {
  const definition = setup.candidates.find((each) => each.label === label)?.definition;
  return definition !== undefined && 'factor' in definition ? definition : undefined;
}

/** The trained window, doubled up to the target: lengths between which a server would switch. */
function multiplesUpTo(target: number): readonly number[] {
  const multiples: number[] = [];
  for (let multiple = 1; multiple < target; multiple *= 2) multiples.push(multiple);
  return [...multiples, target];
}
