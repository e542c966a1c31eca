import { multiple, nats, percent } from '../format.js';
import type { EncodingRow, EncodingsReport } from '../encodings-schema.js';
import { reachWords, rowTitle } from './words.js';

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const NO_ENTRY = 'no entry';

type Rung = EncodingsReport['settings']['ladder'][number];
type Measured = EncodingRow['needle'][number];

function cell(row: EncodingRow, rung: Rung, show: (at: Measured) => string): string {
  const found = row.needle.find((n) => n.multiple === rung.multiple);
  return found === undefined ? NO_ENTRY : show(found);
}

/** Facts found by length, and how far each holds. */
function factsTable({ settings: { ladder }, rows }: EncodingsReport): Table {
  return {
    title: 'Facts found',
    head: ['encoding', ...ladder.map((rung) => multiple(rung.multiple)), 'reach'],
    rows: rows.map((row) => [
      rowTitle(row),
      ...ladder.map((rung) => cell(row, rung, (n) => percent(n.accuracy.value))),
      reachWords(row),
    ]),
  };
}

/** Facts found by distance, nearest fifth first. */
function distanceTable({ settings: { ladder }, rows }: EncodingsReport): Table {
  const share = ({ correct, total }: Measured['byDistance'][number]): string =>
    total === 0 ? '–' : String(Math.round((100 * correct) / total));
  return {
    title: 'Facts found, %, by distance: five equal parts of each length, nearest first',
    head: ['encoding', ...ladder.map((rung) => multiple(rung.multiple))],
    rows: rows.map((row) => [
      rowTitle(row),
      ...ladder.map((rung) => cell(row, rung, (n) => n.byDistance.map(share).join(' '))),
    ]),
  };
}

/** Next-token loss of running text: at 1x, and its change at each length. */
function lossTable({ settings: { ladder }, rows }: EncodingsReport): Table {
  return {
    title: 'Loss of running text, nats: at 1x, and its change by length',
    head: ['encoding', 'at 1x', ...ladder.map((rung) => `change ${multiple(rung.multiple)}`)],
    rows: rows.map((row) => [
      rowTitle(row),
      cell(row, ladder[0]!, (n) => n.languageLoss.value.toFixed(3)),
      ...ladder.map((rung) => cell(row, rung, (n) => nats(n.lossChange.value))),
    ]),
  };
}

/** What a comparison shows, in every form. */
export function tables(report: EncodingsReport): Table[] {
  return report.rows.length === 0
    ? []
    : [factsTable, distanceTable, lossTable].map((make) => make(report));
}
