import { counted, multiple, nats, percent, tokens, trim } from '../report/format.js';
import type { Length } from '../report/schema/values.js';
import { findingLines } from '../report/sections/findings.js';
import { paragraphs, plainTable, type Section, textSection } from '../report/sections/section.js';
import { ENCODINGS } from './registry.js';
import type { EncodingRow, EncodingsReport } from './schema.js';

/** Words the title of a row: `RoPE, yarn:4`, `RoPE, unscaled`, `ALiBi`. */
export function rowTitle({ encoding, scaling }: EncodingRow): string {
  if (encoding === 'rope') return `RoPE, ${scaling ?? 'unscaled'}`;
  return ENCODINGS[encoding].title;
}

/** Words a reach: `≥ 8x`, `2x`, `below 1x`. A row that finds nothing at 1x has no reach. */
export function reachWords({ reach }: EncodingRow): string {
  if (reach === null) return 'chance at 1x';
  if (reach.multiple === 0) return 'below 1x';
  return `${reach.censored ? '≥ ' : ''}${multiple(reach.multiple)}`;
}

/** Words what readers of the table must know. */
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
    `Preset ${settings.preset}, seed ${settings.seed}, ${counted(settings.contexts.long, 'context')} with facts, ` +
      `${settings.contexts.longText} of text.`,
  ];
}

/** Words why a model without RoPE has no row, or that some rows were not finished. */
export function statusWords({ status, config }: EncodingsReport): string[] {
  const missing =
    config?.twin === null
      ? ['None of the bundled twins has this model’s way of telling positions.']
      : [];
  return status === 'complete' ? missing : [...missing, 'Interrupted: the finished rows only.'];
}

const NO_ENTRY = 'no entry';

type MeasuredRung = EncodingRow['needle'][number];

function cell(row: EncodingRow, rung: Length, show: (at: MeasuredRung) => string): string {
  const found = row.needle.find((n) => n.multiple === rung.multiple);
  return found === undefined ? NO_ENTRY : show(found);
}

/** Makes the table of facts found by length, and of how far each encoding holds. */
function factsTable({ settings: { ladder }, rows }: EncodingsReport): Section {
  const head = ['encoding', ...ladder.map((rung) => multiple(rung.multiple)), 'reach'];
  return tableSection(
    'facts',
    'Facts found',
    head,
    rows.map((row) => [
      rowTitle(row),
      ...ladder.map((rung) => cell(row, rung, (n) => percent(n.accuracy.value))),
      reachWords(row),
    ]),
  );
}

/** Makes the table of facts found by distance, nearest fifth first. */
function distanceTable({ settings: { ladder }, rows }: EncodingsReport): Section {
  const share = ({ correct, total }: MeasuredRung['byDistance'][number]): string =>
    total === 0 ? '–' : String(Math.round((100 * correct) / total));
  return tableSection(
    'distances',
    'Facts found, %, by distance: five equal parts of each length, nearest first',
    ['encoding', ...ladder.map((rung) => multiple(rung.multiple))],
    rows.map((row) => [
      rowTitle(row),
      ...ladder.map((rung) => cell(row, rung, (n) => n.byDistance.map(share).join(' '))),
    ]),
  );
}

/** Makes the table of the next-token loss of running text, at 1x and its change at each length. */
function lossTable({ settings: { ladder }, rows }: EncodingsReport): Section {
  return tableSection(
    'loss',
    'Loss of running text, nats: at 1x, and its change by length',
    ['encoding', 'at 1x', ...ladder.map((rung) => `change ${multiple(rung.multiple)}`)],
    rows.map((row) => [
      rowTitle(row),
      cell(row, ladder[0]!, (n) => n.languageLoss.value.toFixed(3)),
      ...ladder.map((rung) => cell(row, rung, (n) => nats(n.lossChange.value))),
    ]),
  );
}

function tableSection(
  id: string,
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Section {
  return { id, title, blocks: [plainTable(title, head, rows)] };
}

/** Makes the answer for one screen: how this model encodes positions, and how far that held. */
export function encodingsAnswer(report: EncodingsReport): readonly Section[] {
  const { preset, seed, contexts } = report.settings;
  return [
    ...openingSections(report),
    factsTable(report),
    textSection(
      'conditions',
      [
        `Small models that differ in their position encoding alone. ${preset}, ` +
          `${counted(contexts.long, 'context')}, seed ${seed}; --details for all.`,
      ],
      'soft',
    ),
  ];
}

/** Makes the sections of a whole comparison, for every form. */
export function encodingsSections(report: EncodingsReport): readonly Section[] {
  return [
    ...openingSections(report),
    factsTable(report),
    distanceTable(report),
    lossTable(report),
    textSection('notes', notes(report), 'soft'),
  ];
}

function openingSections(report: EncodingsReport): readonly Section[] {
  const { config } = report;
  const head: readonly Section[] = config
    ? [
        {
          id: 'head',
          title: config.architecture ?? config.modelType,
          depth: 1,
          blocks: [{ kind: 'text', text: config.source }],
        },
      ]
    : [];
  return [
    ...head,
    {
      id: 'findings',
      blocks: [
        { kind: 'marks', lines: findingLines(report.findings) },
        ...paragraphs(statusWords(report)),
      ],
    },
  ];
}

/** A file may be read anywhere, so it has no colour and the width of an ordinary terminal. */
const FILE = Object.freeze({ color: false, columns: 100, plots: true });

/** The forms of the comparison by file extension. A new one is a line. */
export const ENCODINGS_FORMS: Readonly<
  Record<string, (report: EncodingsReport) => Promise<string>>
> = Object.freeze({
  '.json': async (report) => `${JSON.stringify(report, null, 2)}\n`,
  '.md': async (report) =>
    (await import('../report/forms/markdown.js')).markdownOf(encodingsSections(report), FILE),
  '.html': async (report) =>
    (await import('../report/forms/html.js')).htmlOf(encodingsSections(report), FILE),
  '.txt': async (report) =>
    (await import('../report/terminal.js')).textOf(encodingsSections(report), FILE),
});
