import * as format from '../format.js';
import { rangeText, shortCostOnModels } from '../real-models.js';
import { rungAt, summaryLengths } from '../format.js';
import type { DynamicForm, Gap, Reading, Switch } from '../schema/candidate.js';
import type { CandidateReport, Report } from '../schema/report.js';
import type { Cell, Column, Section } from './section.js';
import { natsCell, pointsCell } from './summary.js';

/** How a scaling behaves while text is generated. */

/** Presents the results of the serving probes, which the quick preset does not measure. */
export function servingSections(report: Report): readonly Section[] {
  const forms = alike(report, (candidate) => candidate.forms);
  const switches = alike(report, (candidate) => candidate.switch);
  const tables = [
    ...noteOnce(forms.map(([names, found]) => formsTable(names, found, report))),
    ...noteOnce(switches.map(([names, found]) => switchTable(names, found))),
  ];
  return [
    ...tables.map(({ title, columns, rows, note }, i): Section => ({
      id: `serving-${i + 1}`,
      title,
      depth: 3,
      blocks: [
        { kind: 'table', name: title, columns, rows: rows.map((cells) => ({ cells })) },
        { kind: 'text', tone: 'soft', text: note },
      ],
    })),
    { id: 'offset', depth: 3, blocks: [{ kind: 'text', tone: 'soft', text: offsetWords(report) }] },
  ];
}

/** One table of the section. */
interface ServingTable {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** '' if the next table of its kind has the same note. */
  readonly note: string;
}

const FORM_NAMES: Readonly<Record<DynamicForm['form'], string>> = Object.freeze({
  recomputed: 'recomputed',
  cached: 'cached keys',
  static: 'one static table',
});

function noteOnce(tables: readonly ServingTable[]): readonly ServingTable[] {
  return tables.map((table, i) => (i < tables.length - 1 ? { ...table, note: '' } : table));
}

/** Groups candidates with identical results into one table. */
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
  return {
    title: `${names} as servers do it`,
    columns: [
      { title: 'Form', align: 'left' },
      { title: 'Short loss', align: 'right' },
      ...lengths.map((length): Column => ({
        title: format.shortTokens(length),
        align: 'right',
        ...(length < report.target.tokens ? { spare: 1 } : {}),
      })),
      { title: 'Reach', align: 'right' },
      { title: 'Gap, facts', align: 'right' },
      { title: 'Gap, loss', align: 'right' },
    ],
    rows: forms.map((form) => [
      { text: FORM_NAMES[form.form] },
      natsCell(form.short.lossChange),
      ...lengths.map((length): Cell => {
        const rung = rungAt(form, length);
        return { text: rung ? format.percent(rung.accuracy.value) : '' };
      }),
      { text: format.reachTokens(form.reach), detail: format.reachEnds(form.reach) },
      form.gap ? gapCell(form.gap.accuracy, pointsCell(form.gap.accuracy)) : NOTHING,
      form.gap ? gapCell(form.gap.loss, natsCell(form.gap.loss)) : NOTHING,
    ]),
    note:
      'Recomputed: all keys have the table of the present length, as in a prompt that transformers ' +
      'reads at once. Cached keys: each key keeps the table of the length at which it was written, ' +
      'as while text is generated. One static table: that of the target at every length, as emit ' +
      'writes it for vLLM; of a block in the config, that of factor x window. Gap: the largest difference to recomputed up to the target, on the same contexts.',
  };
}

const NOTHING: Cell = Object.freeze({ text: '' });

function gapCell(gap: Gap, cell: Cell): Cell {
  const where = gap.probe === 'short' ? 'short' : format.shortTokens(gap.tokens);
  return { ...cell, text: `${cell.text} at ${where}` };
}

function switchTable(names: string, found: Switch): ServingTable {
  const { below, at, above } = found;
  const row = (tokens: number, how: string, read: Reading, change?: Reading): readonly Cell[] => [
    { text: `${format.tokens(tokens)} tokens, ${how}` },
    { text: format.percent(read.accuracy.value) },
    { text: read.languageLoss.value.toFixed(2) },
    change ? pointsCell(change.accuracy) : NOTHING,
    change ? natsCell(change.languageLoss) : NOTHING,
  ];
  return {
    title: `${names} at the switch, ${format.tokens(found.tokens)} tokens`,
    columns: [
      { title: 'Length and table', align: 'left' },
      { title: 'Facts', align: 'right' },
      { title: 'Loss', align: 'right' },
      { title: 'Facts v below', align: 'right' },
      { title: 'Loss v below', align: 'right' },
    ],
    rows: [
      row(below.tokens, 'short factors', below.short),
      row(at.tokens, 'short factors', at.short),
      row(above.tokens, 'long factors', above.long, found.recomputed),
      row(above.tokens, 'cached keys', above.cached, found.cached),
    ],
    note:
      'Long factors: everything is computed anew above the switch. Cached keys: keys up to the ' +
      'switch keep the short factors, and queries with the long ones read them. The probe was not ' +
      'trained on the long factors, so their own cost is an upper bound.',
  };
}

/** Says in one line whether a text scores the same at later positions; '' = not measured. */
function offsetWords({ candidates }: Report): string {
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

/**
 * Says where a recommended dynamic scaling behaves differently from what was measured. Its main row
 * is the recomputed form, which hardly any server uses while it generates.
 *
 * @returns '' for scalings whose table does not depend on the length
 */
export function recomputedOnly(best: CandidateReport | undefined, report: Report): string {
  const { settings } = report;
  if (!best?.groups.some(({ ropeType, changed }) => ropeType === 'dynamic' && changed)) return '';
  const cached = best.forms?.find(({ form }) => form === 'cached');
  const fixed = best.forms?.find(({ form }) => form === 'static');
  if (!cached || !fixed) {
    const advice = settings.preset === 'quick' ? '; --preset standard measures it' : '';
    return (
      'That holds where all keys are recomputed at each length. With cached keys, or as one static ' +
      `table (vLLM), it may do far worse${advice}.`
    );
  }
  const cost = fixed.short.lossChange.value;
  const range = rangeText(shortCostOnModels(report, best, cost));
  return (
    `As servers run it, with cached keys, it reaches ${reachOf(cached)}; as one static table ` +
    `(vLLM), ${reachOf(fixed)}, for ${format.nats(cost)} nats at short lengths${range === '' ? '' : ` (${range})`}.`
  );
}

function reachOf({ reach }: DynamicForm): string {
  return reach.multiple === 0 ? 'no length' : `${format.reachTokens(reach)} tokens`;
}
