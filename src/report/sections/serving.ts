import * as format from '../format.js';
import type { DynamicForm, Gap, Reading, Switch } from '../schema/candidate.js';
import type { CandidateReport, Interval, Report } from '../schema/report.js';
import { rungAt, summaryLengths } from '../view.js';

/** What becomes of a scaling while text is generated, in words. */

/** A value, and its 95 % interval where it has one. */
export type Cell = readonly [value: string, interval?: string];

/** One table of the section, in every form of the report. */
export interface ServingTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Columns to leave out first where there is no room. */
  readonly spare: readonly number[];
  /** '' where the next table of its kind says it. */
  readonly note: string;
}

const FORM_NAMES: Readonly<Record<DynamicForm['form'], string>> = Object.freeze({
  recomputed: 'recomputed',
  cached: 'cached keys',
  static: 'one static table',
});

/** Tables of what was measured; the quick preset measures none of it. */
export function servingTables(report: Report): readonly ServingTable[] {
  const forms = alike(report, (candidate) => candidate.forms);
  const switches = alike(report, (candidate) => candidate.switch);
  return [
    ...noteOnce(forms.map(([names, found]) => formsTable(names, found, report))),
    ...noteOnce(switches.map(([names, found]) => switchTable(names, found))),
  ];
}

function noteOnce(tables: readonly ServingTable[]): readonly ServingTable[] {
  return tables.map((table, i) => (i < tables.length - 1 ? { ...table, note: '' } : table));
}

/** Candidates that measured the very same are one table. */
function alike<T>(
  { candidates }: Report,
  read: (candidate: CandidateReport) => T | undefined,
): readonly (readonly [names: string, found: T])[] {
  const groups = new Map<string, { labels: string[]; found: T }>();
  for (const candidate of candidates) {
    const found = read(candidate);
    if (found === undefined) continue;
    const key = JSON.stringify(found);
    const group = groups.get(key) ?? { labels: [], found };
    group.labels.push(format.printable(candidate.label));
    groups.set(key, group);
  }
  return [...groups.values()].map(({ labels, found }) => [format.list(labels), found]);
}

function formsTable(names: string, forms: readonly DynamicForm[], report: Report): ServingTable {
  const lengths = summaryLengths(report);
  const middle = lengths.flatMap((length, i) => (length < report.target.tokens ? [2 + i] : []));
  return {
    title: `${names} as servers do it`,
    head: ['form', 'short loss', ...lengths.map(format.shortTokens), 'reach', ...GAP_HEADS],
    rows: forms.map(({ form, short, reach, gap }, i) => [
      [FORM_NAMES[form]],
      [format.nats(short.lossChange.value), format.ends(short.lossChange, 3)],
      ...lengths.map((length): Cell => {
        const rung = rungAt(forms[i]!, length);
        return [rung ? format.percent(rung.accuracy.value) : ''];
      }),
      [format.reachTokens(reach), format.reachEnds(reach)],
      gap ? gapCell(gap.accuracy, format.points(gap.accuracy.value), 1, 100) : [''],
      gap ? gapCell(gap.loss, format.nats(gap.loss.value), 3, 1) : [''],
    ]),
    spare: middle,
    note:
      'Recomputed: all keys have the table of the present length, as in a prompt that transformers ' +
      'reads at once. Cached keys: each key keeps the table of the length at which it was written, ' +
      'as while text is generated. One static table: for factor x window at every length, as in ' +
      'vLLM. Gap: the largest difference to recomputed up to the target, on the same contexts.',
  };
}

const GAP_HEADS = ['gap, facts', 'gap, loss'];

function gapCell(gap: Gap, value: string, digits: number, scale: number): Cell {
  const where = gap.probe === 'short' ? 'short' : format.shortTokens(gap.tokens);
  return [`${value} at ${where}`, format.ends(gap, digits, scale)];
}

function switchTable(names: string, found: Switch): ServingTable {
  const { below, at, above } = found;
  const row = (tokens: number, how: string, read: Reading, change?: Reading): readonly Cell[] => [
    [`${format.tokens(tokens)} tokens, ${how}`],
    [format.percent(read.accuracy.value)],
    [read.languageLoss.value.toFixed(2)],
    change ? [format.points(change.accuracy.value), format.ends(change.accuracy, 1, 100)] : [''],
    change ? lossCell(change.languageLoss) : [''],
  ];
  return {
    title: `${names} at the switch, ${format.tokens(found.tokens)} tokens`,
    head: ['length and table', 'facts', 'loss', 'facts v below', 'loss v below'],
    rows: [
      row(below.tokens, 'short factors', below.short),
      row(at.tokens, 'short factors', at.short),
      row(above.tokens, 'long factors', above.long, found.recomputed),
      row(above.tokens, 'cached keys', above.cached, found.cached),
    ],
    spare: [],
    note:
      'Long factors: everything is computed anew above the switch. Cached keys: keys up to the ' +
      'switch keep the short factors, and queries with the long ones read them. The probe was not ' +
      'trained on the long factors, so their own cost is an upper bound.',
  };
}

function lossCell(change: Interval): Cell {
  return [format.nats(change.value), format.ends(change, 3)];
}

/** Whether the same text scores alike further on: one line; '' where it was not measured. */
export function offsetWords({ candidates }: Report): string {
  const found = candidates.flatMap(({ label, offset }) =>
    offset ? [{ name: format.printable(label), ...offset }] : [],
  );
  const [first] = found;
  if (!first) return '';
  const of = (verdict: (typeof first)['verdict']) => found.filter((f) => f.verdict === verdict);
  const largest = (list: typeof found): number => Math.max(...list.map((f) => f.maxDrift));
  const [same, defined, wrong] = [of('none'), of('by-definition'), of('drifts')];
  const names = (list: typeof found): string => format.list(list.map((f) => f.name));
  const sentences = [
    same.length > 0 &&
      `${same.length === found.length ? 'no candidate changes' : 'the others do not change'} ` +
        `(${size(largest(same))} nats at most, rounding)`,
    defined.length > 0 &&
      `${names(defined)} ${defined.length > 1 ? 'change' : 'changes'} by definition, as the table ` +
        `follows the length (up to ${size(largest(defined))} nats)`,
    wrong.length > 0 &&
      `${names(wrong)} ${wrong.length > 1 ? 'drift' : 'drifts'} by up to ` +
        `${size(largest(wrong))} nats, a defect`,
  ].filter((sentence) => sentence !== false);
  const shift = `${format.tokens(first.shift.tokens)} tokens further on`;
  return `Offset: where the same text stands ${shift}, ${sentences.reverse().join('; ')}.`;
}

function size(drift: number): string {
  return drift < 0.001 ? Math.max(drift, 0.00001).toFixed(5) : drift.toPrecision(2);
}
