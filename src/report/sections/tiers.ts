import { fixed } from '../../text.js';
import { list, multiple, nats, percent, printable, rungAt } from '../format.js';
import type { CandidateReport, NeighbourReport, ProbedReport, Report } from '../schema/report.js';
import { type Column, paragraphs, plainTable, type Section, type TableCell } from './section.js';
import { NOT_MEASURED, verdictWords } from './summary.js';

type Row = readonly (string | TableCell)[];

/** Presents the results of neighbouring probe models, an uncertainty that no interval includes. */
export function neighboursSection(report: Report): Section {
  const head = ['Candidate', 'Short loss', 'Needle', 'Reach', left('Verdicts')];
  return {
    id: 'neighbours',
    title: 'Other probe models: smallest to largest value',
    depth: 3,
    blocks: [
      plainTable('Other probe models', head, neighbourRows(report)),
      ...paragraphs([neighboursNote(report)], 'soft'),
    ],
  };
}

function left(title: string): Column {
  return { title, align: 'left' };
}

/** Makes one row per candidate: the range over all probe models, including the report's own. */
function neighbourRows(report: Report): readonly Row[] {
  const { candidates, target, otherProbeModels: others = [] } = report;
  if (others.length === 0) return [];
  return candidates
    .filter(({ role }) => role === 'candidate')
    .map(({ label, short, reach, verdict, needle }): Row => {
      const same = others.flatMap((o) => o.candidates.filter((c) => c.label === label));
      const accuracy = rungAt({ needle }, target.tokens)?.accuracy;
      return [
        { text: label, name: true },
        range([short?.lossChange, ...same.map((c) => c.shortLossChange)], nats),
        range([accuracy, ...same.map((c) => c.needleAtTarget)], percent),
        range([reach, ...same.map((c) => c.reach)].map(multipleOf), multiple),
        verdicts([verdict, ...same.map((c) => c.verdict)]),
      ];
    });
}

function neighboursNote({ otherProbeModels, subject, recommendation }: Report): string {
  const others = otherProbeModels ?? [];
  if (others.length === 0) return '';
  const names = list([subject.name, ...others.map((o) => o.probeModel.name)]);
  const differing = others.filter((o) => o.recommended !== recommendation.candidate);
  const says = (o: NeighbourReport): string =>
    `${o.probeModel.name} ${o.recommended === null ? 'none' : printable(o.recommended)}`;
  const agreement =
    differing.length === 0
      ? 'All recommend the same.'
      : `They do not agree: recommended by ${list(differing.map(says))}.`;
  return `Probe models: ${names}. ${agreement} Where they differ, the probe cannot tell.`;
}

type Value = { readonly value: number } | null | undefined;

function multipleOf(reach: CandidateReport['reach']): Value {
  return reach && { value: reach.multiple };
}

/** Gives the smallest and the largest of the values that were measured. */
function range(found: readonly Value[], write: (value: number) => string): string {
  const values = found.flatMap((each) => (each ? [each.value] : []));
  if (values.length === 0) return NOT_MEASURED.text;
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
  const twice = (what: string): Column[] =>
    ['probed', 'measured'].map((how) => ({
      title: `${what}, ${how}`,
      narrow: [what, how],
      align: 'right',
    }));
  const head = [
    left('Candidate'),
    ...['Short loss', 'Needle', 'Reach'].flatMap(twice),
    { ...left('Verdict of the probe'), spare: 1 },
  ];
  const blocks: Section['blocks'] = probed
    ? [
        plainTable('Probed and measured', head, tierRows(report, probed)),
        ...paragraphs([agreementWords(report, probed)], 'soft'),
      ]
    : [];
  return { id: 'tiers', title: 'Probed and measured', depth: 3, blocks };
}

function tierRows({ candidates, target }: Report, probed: ProbedReport): readonly Row[] {
  return candidates.flatMap((own): Row[] => {
    const other = probed.candidates.find(({ label }) => label === own.label);
    if (own.role !== 'candidate' || !other) return [];
    return [
      [
        { text: own.label, name: true },
        range([other.shortLossChange], nats),
        range([own.short?.lossChange], nats),
        range([other.needleAtTarget], percent),
        range([rungAt(own, target.tokens)?.accuracy], percent),
        range([multipleOf(other.reach)], multiple),
        range([multipleOf(own.reach)], multiple),
        verdictWords(other.verdict),
      ],
    ];
  });
}

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
      : ` The probe recommends ${recommended === null ? 'none' : printable(recommended)}; the recommendation follows your own weights.`;
  return order + cost + same;
}
