import { fixed } from '../../text.js';
import * as format from '../format.js';
import type { CandidateReport, NeighbourReport, ProbedReport, Report } from '../schema/report.js';
import type { Row, Section, TableCell } from './section.js';
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
      const needle = format.rungAt(own, target.tokens)?.accuracy;
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

/** Compares the probe's results with those of the user's own weights; empty without those. */
export function tiersSection(report: Report): Section {
  const { probed } = report;
  const blocks: Section['blocks'] = probed
    ? [
        {
          kind: 'table',
          name: 'Probed and measured',
          columns: [
            { title: 'Candidate', align: 'left' },
            { title: 'Short loss, probed', narrow: ['Short loss', 'probed'], align: 'right' },
            { title: 'Short loss, measured', narrow: ['Short loss', 'measured'], align: 'right' },
            { title: 'Needle, probed', narrow: ['Needle', 'probed'], align: 'right' },
            { title: 'Needle, measured', narrow: ['Needle', 'measured'], align: 'right' },
            { title: 'Reach, probed', narrow: ['Reach', 'probed'], align: 'right' },
            { title: 'Reach, measured', narrow: ['Reach', 'measured'], align: 'right' },
            { title: 'Verdict of the probe', align: 'left', spare: 1 },
          ],
          rows: report.candidates
            .filter(({ role }) => role === 'candidate')
            .flatMap((own) => tierRow(own, probed, report)),
        },
        { kind: 'text', tone: 'soft', text: agreementWords(report, probed) },
      ]
    : [];
  return { id: 'tiers', title: 'Probed and measured', depth: 3, blocks };
}

function tierRow(own: CandidateReport, probed: ProbedReport, { target }: Report): Row[] {
  const other = probed.candidates.find(({ label }) => label === own.label);
  if (!other) return [];
  const reach = (r: CandidateReport['reach']): string => (r ? format.multiple(r.multiple) : '–');
  const number = (
    interval: { readonly value: number } | null | undefined,
    write: (value: number) => string,
  ): string => (interval ? write(interval.value) : '–');
  const cells: readonly TableCell[] = [
    { text: own.label, name: true },
    ...[
      number(other.shortLossChange, format.nats),
      number(own.short?.lossChange, format.nats),
      number(other.needleAtTarget, format.percent),
      number(format.rungAt(own, target.tokens)?.accuracy, format.percent),
      reach(other.reach),
      reach(own.reach),
      verdictWords(other.verdict),
    ].map((text) => ({ text })),
  ];
  return [{ cells }];
}

/** Says in one or two sentences how far the two agree. */
function agreementWords({ recommendation }: Report, probed: ProbedReport): string {
  const { recommended, rankCorrelation, shortCostRatio } = probed;
  const order =
    rankCorrelation === null
      ? 'There are too few figures to compare the order of the scalings.'
      : `Over all scalings and lengths the losses of both have a rank correlation of ${fixed(rankCorrelation, 2)}.`;
  const cost =
    shortCostRatio === null
      ? ''
      : ` A short cost of the probe is ${fixed(shortCostRatio, 1)} times as much on these weights.`;
  const same =
    recommended === recommendation.candidate
      ? ' Both recommend the same.'
      : ` The probe recommends ${recommended === null ? 'none' : format.printable(recommended)}; the recommendation follows your own weights.`;
  return order + cost + same;
}
