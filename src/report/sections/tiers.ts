import { fixed } from '../../numbers.js';
import * as format from '../format.js';
import { rungAt } from '../format.js';
import type { CandidateReport, ProbedReport, Report } from '../schema/report.js';
import type { TableCell, Row, Section } from './section.js';
import { verdictWords } from './summary.js';

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
      number(rungAt(own, target.tokens)?.accuracy, format.percent),
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
