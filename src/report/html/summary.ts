import * as format from '../format.js';
import type { CandidateReport, Interval, Report, Verdict } from '../schema.js';
import { rungAt, summaryLengths } from '../view.js';
import { verdictWords } from '../wording.js';
import { markup, type Markup } from './template.js';

const NOT_MEASURED = markup`<td>–</td>`;

/** The summary: a row a candidate, values with their intervals. */
export function htmlSummary(report: Report): Markup {
  const lengths = summaryLengths(report);
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Summary table">
    <table>
      <caption>
        Short context: change against the reference at 0.5x and 1x of the trained window. Needle:
        facts found. Small print: 95 % intervals.
      </caption>
      <thead>
        <tr>
          <th scope="col">Candidate</th>
          <th scope="col">Short-context accuracy, points</th>
          <th scope="col">Short-context loss, nats</th>
          ${lengths.map((length) => markup`<th scope="col">Needle at ${format.shortTokens(length)}</th>`)}
          <th scope="col">Reach, tokens</th>
          <th scope="col">Loss at ${format.shortTokens(report.target.tokens)}, nats</th>
          <th scope="col">Verdict</th>
        </tr>
      </thead>
      <tbody>
        ${report.candidates.map((candidate) => row(candidate, report, lengths))}
      </tbody>
    </table>
  </div>`;
}

function row(candidate: CandidateReport, report: Report, lengths: readonly number[]): Markup {
  const { label, role, short, reach, verdict } = candidate;
  const best = label === report.recommendation.candidate ? 'best' : '';
  const target = rungAt(candidate, report.target.tokens);
  return markup`<tr class="${best}">
    <th scope="row"><span class="label">${format.printable(label)}</span></th>
    ${
      role === 'reference'
        ? markup`<td>0</td>
            <td>0</td>`
        : markup`${change(short?.accuracyChange, 1, 100)}${change(short?.lossChange, 3, 1)}`
    }
    ${lengths.map((length) => needle(candidate, length))}
    ${reach ? markup`<td>${format.reachTokens(reach)}<small>${format.reachEnds(reach)}</small></td>` : NOT_MEASURED}
    ${target ? change(target.lossChange, 2, 1) : NOT_MEASURED}
    <td class="${TONES[verdict]}">${verdictWords(verdict)}</td>
  </tr>`;
}

function change(found: Interval | undefined, digits: number, scale: number): Markup {
  if (!found) return NOT_MEASURED;
  const value = format.signed(found.value * scale, digits);
  return markup`<td>${value}<small>${format.ends(found, digits, scale)}</small></td>`;
}

function needle(candidate: CandidateReport, length: number): Markup {
  const rung = rungAt(candidate, length);
  if (!rung) return NOT_MEASURED;
  const { value, low, high } = rung.accuracy;
  const ends = `${Math.round(low * 100)} … ${Math.round(high * 100)}`;
  return markup`<td>${format.percent(value)}<small>${ends}</small></td>`;
}

const TONES: Readonly<Record<Verdict, string>> = Object.freeze({
  reference: 'soft',
  reaches: 'good',
  'reaches-at-a-cost': 'warn',
  'falls-short': 'bad',
  'fails-short': 'bad',
  unclear: 'warn',
  'not-needed': 'soft',
});
