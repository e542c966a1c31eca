import * as format from '../format.js';
import { rungAt } from '../format.js';
import type { CandidateReport, NeighbourReport, Report } from '../schema/report.js';
import type { TableCell, Row, Section } from './section.js';
import { verdictWords } from './summary.js';

/** Presents the results of neighbouring probe models, an uncertainty that no interval includes. */

export function neighboursSection(report: Report): Section {
  const rows = neighbourRows(report);
  return {
    id: 'neighbours',
    title: 'Other probe models: smallest to largest value',
    depth: 3,
    blocks: [
      {
        kind: 'table',
        name: 'Other probe models',
        columns: [
          { title: 'Candidate', align: 'left' },
          { title: 'Short loss', align: 'right' },
          { title: 'Needle', align: 'right' },
          { title: 'Reach', align: 'right' },
          { title: 'Verdicts', align: 'left' },
        ],
        rows,
      },
      { kind: 'text', tone: 'soft', text: neighboursNote(report) },
    ],
  };
}

/** Makes one row per candidate: the range over all probe models, including the report's own. */
function neighbourRows({ candidates, target, otherProbeModels = [] }: Report): readonly Row[] {
  if (otherProbeModels.length === 0) return [];
  return candidates
    .filter(({ role }) => role === 'candidate')
    .map((own) => {
      const same = otherProbeModels.flatMap((o) =>
        o.candidates.filter((c) => c.label === own.label),
      );
      const needle = rungAt(own, target.tokens)?.accuracy;
      const cells: readonly string[] = [
        range([own.short?.lossChange, ...same.map((c) => c.shortLossChange)], format.nats),
        range([needle, ...same.map((c) => c.needleAtTarget)], format.percent),
        span(
          [own.reach, ...same.map((c) => c.reach)].flatMap((r) => (r ? [r.multiple] : [])),
          (m) => format.multiple(m),
        ),
        verdicts([own.verdict, ...same.map((c) => c.verdict)]),
      ];
      const name: TableCell = { text: own.label, name: true };
      return { cells: [name, ...cells.map((text) => ({ text }))] };
    });
}

/** Names the probe models, and says whether they recommend the same. */
function neighboursNote({ otherProbeModels, subject, recommendation }: Report): string {
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
    .map((kind) => `${found.filter((v) => v === kind).length} ${verdictWords(kind)}`)
    .join(', ');
}
