import type { Environment } from '../cli/environment.js';
import { writeReport } from '../cli/files.js';
import { type OutputFile, outputFiles } from '../cli/outputs.js';
import { EXIT, RopeEvalError } from '../errors.js';
import { multiple, nats, percent, printable, tokens, trim } from '../report/format.js';
import { code, plain, table } from '../report/forms/markdown.js';
import { findingLines } from '../report/sections/findings.js';
import { bareTable, fill, widestLine } from '../report/terminal.js';
import { ENCODINGS } from './registry.js';
import type { EncodingRow, EncodingsReport } from './schema.js';
import { paint as paintFor } from '../report/paint.js';

/** `RoPE, yarn:4`, `RoPE, unscaled`, `ALiBi` */
export function rowTitle({ encoding, scaling }: EncodingRow): string {
  if (encoding === 'rope') return `RoPE, ${scaling ?? 'unscaled'}`;
  return ENCODINGS[encoding].title;
}

/** `≥ 8x`, `2x`, `below 1x`; a row that finds nothing at 1x has no reach. */
export function reachWords({ reach }: EncodingRow): string {
  if (reach === null) return 'chance at 1x';
  if (reach.multiple === 0) return 'below 1x';
  return `${reach.censored ? '≥ ' : ''}${multiple(reach.multiple)}`;
}

/** What a table of encodings has to be read with. */
export function notes({ settings, chance, rows }: EncodingsReport): string[] {
  if (rows.length === 0) return [];
  const window = settings.ladder[0]!.tokens;
  const longest = settings.ladder.at(-1)!;
  const ending = rows.filter((row) => row.entries !== null);
  return [
    `Every row is the same small model on ${tokens(window)} tokens, trained on from RoPE’s weights ` +
      `where it is another; only what it is told of positions differs. ${multiple(longest.multiple)} is ${tokens(longest.tokens)} tokens.`,
    `Facts: share found, asked at all distances (guessing: ${trim(chance * 100, 1)} %). Loss: of ` +
      `running text, nats above the source’s own; change: against the same weights, unscaled, on the ` +
      `same text with one window before it. Reach: the largest length at which every distance ` +
      `keeps half of the facts found at 1x.`,
    ...ending.map(
      (row) =>
        `no entry: ${rowTitle(row)} has a table of ${tokens(row.entries!)} positions and cannot be ` +
        `asked beyond it.`,
    ),
    `Preset ${settings.preset}, seed ${settings.seed}, ${settings.contexts.long} contexts with facts, ` +
      `${settings.contexts.longText} of text.`,
  ];
}

/** Why a model without RoPE has no row, or which rows were not finished. */
export function statusWords({ status, config }: EncodingsReport): string[] {
  const missing =
    config?.twin === null
      ? ['None of the bundled twins has this model’s way of telling positions.']
      : [];
  return status === 'complete' ? missing : [...missing, 'Interrupted: the finished rows only.'];
}

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

/** The comparison as GitHub Markdown, as it stands in docs/encodings.md. */
export function encodingsMarkdown(report: EncodingsReport): string {
  const { config } = report;
  const blocks = [
    config ? `## ${plain(config.architecture ?? config.modelType)}\n\n${code(config.source)}` : '',
    ...findingLines(report.findings).map((f) => `- ${f.severity} ${f.code} ${plain(f.message)}`),
    ...statusWords(report).map(plain),
    ...tables(report).flatMap(({ title, head, rows }) => [`${plain(title)}:`, table(head, rows)]),
    notes(report)
      .map((line) => `- ${plain(line)}`)
      .join('\n'),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

interface Context {
  readonly color: boolean;
  readonly columns: number;
}

/** The comparison for a person at a terminal. */
export function encodingsText(report: EncodingsReport, { color, columns }: Context): string {
  const paint = paintFor(color);
  const { config } = report;
  const paragraphs = (lines: readonly string[]): string =>
    lines.map((line) => fill(line, columns, '')).join('\n');
  const section = ({ title, head, rows }: Table): string => {
    const text = bareTable(head, rows, 2);
    const width = widestLine(text);
    const body = width <= columns ? text : `(needs ${width} columns; --json has what is in it)`;
    return `${paint.bold(fill(title, columns, ''))}\n${body}`;
  };
  const model = config && printable(config.architecture ?? config.modelType);
  const findings = findingLines(report.findings);
  const blocks = [
    config ? `${paint.bold(model ?? '')}  ${printable(config.source)}` : '',
    paragraphs(findings.map((f) => `${f.severity} ${f.code} ${f.message}`)),
    paragraphs(statusWords(report)),
    ...tables(report).map(section),
    paint.dim(paragraphs(notes(report))),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** Files are read anywhere: no colour, and the width of a usual terminal. */
const FILE = Object.freeze({ color: false, columns: 100 });

/** Forms of the comparison by a file's extension. A new one is a line. */
export const ENCODINGS_FORMS: Readonly<Record<string, (report: EncodingsReport) => string>> =
  Object.freeze({
    '.json': (report) => `${JSON.stringify(report, null, 2)}\n`,
    '.md': encodingsMarkdown,
    '.txt': (report) => encodingsText(report, FILE),
  });

export type EncodingsOutput = OutputFile<(report: EncodingsReport) => string>;

export function prepareEncodingsOutputs(
  paths: readonly string[],
  environment: Environment,
): Promise<readonly EncodingsOutput[]> {
  return outputFiles(paths, environment, ENCODINGS_FORMS, unknownForm);
}

export async function writeEncodingsOutputs(
  outputs: readonly EncodingsOutput[],
  report: EncodingsReport,
): Promise<void> {
  for (const { path, form } of outputs) await writeReport(path, form(report));
}

function unknownForm(shown: string): RopeEvalError {
  return new RopeEvalError(
    `-o ${shown}: a comparison of position encodings has no such form`,
    EXIT.usage,
    'unknown_form',
    '-o',
    `Known: ${Object.keys(ENCODINGS_FORMS).join(', ')}.`,
  );
}
