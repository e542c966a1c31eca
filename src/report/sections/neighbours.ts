import * as format from '../format.js';
import type { CandidateReport, NeighbourReport, Report } from '../schema/report.js';
import { rungAt } from '../view.js';

/** What the neighbouring probe models say, in words: the uncertainty that no interval holds. */

export const NEIGHBOURS_TITLE = 'Other probe models: smallest to largest value';
export const NEIGHBOURS_HEAD = ['candidate', 'short loss', 'needle', 'reach', 'verdicts'] as const;

/** A line a candidate: the range over all probe models, the report's own among them. */
export function neighbourRows(report: Report): readonly (readonly string[])[] {
  const others = report.otherProbeModels ?? [];
  if (others.length === 0) return [];
  return report.candidates
    .filter(({ role }) => role === 'candidate')
    .map((own) => {
      const same = others.flatMap((o) => o.candidates.filter((c) => c.label === own.label));
      const needle = rungAt(own, report.target.tokens)?.accuracy;
      return [
        format.printable(own.label),
        range([own.short?.lossChange, ...same.map((c) => c.shortLossChange)], format.nats),
        range([needle, ...same.map((c) => c.needleAtTarget)], format.percent),
        span(
          [own.reach, ...same.map((c) => c.reach)].flatMap((r) => (r ? [r.multiple] : [])),
          (m) => format.multiple(m),
        ),
        verdicts([own.verdict, ...same.map((c) => c.verdict)]),
      ];
    });
}

/** Which probe models, and whether they recommend the same. */
export function neighboursNote({ otherProbeModels, subject, recommendation }: Report): string {
  const others = otherProbeModels ?? [];
  if (others.length === 0) return '';
  const names = format.list([subject.name, ...others.map((o) => o.probeModel.name)]);
  const differing = others.filter((o) => o.recommended !== recommendation.candidate);
  const says = (o: NeighbourReport): string =>
    `${o.probeModel.name} ${o.recommended === null ? 'none' : format.printable(o.recommended)}`;
  const agreement =
    differing.length === 0
      ? 'All recommend the same.'
      : `They do not agree: recommended by ${format.list(differing.map(says))}.`;
  return `Probe models: ${names}. ${agreement} Where they differ, the probe cannot tell.`;
}

function range(
  intervals: readonly ({ readonly value: number } | null | undefined)[],
  write: (value: number) => string,
): string {
  return span(
    intervals.flatMap((interval) => (interval ? [interval.value] : [])),
    write,
  );
}

function span(values: readonly number[], write: (value: number) => string): string {
  if (values.length === 0) return '–';
  const [low, high] = [write(Math.min(...values)), write(Math.max(...values))];
  return low === high ? low : `${low} to ${high}`;
}

function verdicts(found: readonly CandidateReport['verdict'][]): string {
  const kinds = [...new Set(found)];
  return kinds
    .map((kind) => `${found.filter((v) => v === kind).length} ${kind.replaceAll('-', ' ')}`)
    .join(', ');
}
