import { Chalk, type ChalkInstance } from 'chalk';
import { findingLines } from '../finding-words.js';
import { multiple, printable, tokens } from '../format.js';
import { partsNote, partsTitle } from '../parts-words.js';
import { exactLines } from '../text/exact.js';
import { fill } from '../text/fill.js';
import { textHeatmap } from '../text/heatmap.js';
import { neighboursText } from '../text/neighbours.js';
import { partsTable } from '../text/parts-table.js';
import { servingText } from '../text/serving.js';
import { summaryTable } from '../text/summary-table.js';
import type { Reporter, ReporterContext } from './reporter.js';
import type { Report } from '../schema.js';
import { scoreWords } from '../score-words.js';
import { featured } from '../view.js';
import { recommendationWords } from '../recommendation-words.js';
import * as words from '../wording.js';

/** The report for a person at a terminal. */
export const text: Reporter = (report, context) => {
  const paint = new Chalk({ level: context.color ? 1 : 0 });
  const blocks = [
    title(report, paint),
    findings(report, context, paint),
    probed(report, context, paint),
    neighboursText(report, context.columns, paint),
    parts(report, context, paint),
    servingText(report, context.columns, paint),
    heatmap(report, context, paint),
    section('Exact: from the config alone', exactLines(report), context, paint),
    recommendation(report, context, paint),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
};

function title(report: Report, paint: ChalkInstance): string {
  const { config, target, reference } = report;
  const model = printable(config.architecture ?? config.modelType);
  const lines = [
    `${paint.bold(model)}  ${printable(config.source)}`,
    `${tokens(reference.trainedWindow)} tokens trained, ${tokens(target.tokens)} wanted ` +
      `(${multiple(target.multiple)})`,
  ];
  const status = words.statusWords(report.status);
  return [...lines, ...(status === '' ? [] : [paint.yellow(status)])].join('\n');
}

function findings(report: Report, { columns }: ReporterContext, paint: ChalkInstance): string {
  const colors = { error: paint.red, warning: paint.yellow, notice: paint.cyan };
  return findingLines(report.findings)
    .map(({ severity, code, message }) => {
      const body = fill(`${severity} ${code} ${message}`, columns, '  ');
      return body.replace(severity, colors[severity](severity));
    })
    .join('\n');
}

function probed(report: Report, context: ReporterContext, paint: ChalkInstance): string {
  const table = summaryTable(report, context.columns, paint);
  const notes = [
    ...words.localWords(report),
    words.probeModelWords(report),
    `Short context: change against the reference at 0.5x and 1x. Needle: facts found. ` +
      `${words.chanceWords(report)} Reach: the largest length at which every distance keeps half ` +
      `of the accuracy at 1x. Below a value: its 95 % interval.`,
    scoreWords(report),
    ...(table.complete ? [] : ['Some columns need a wider terminal; --json has everything.']),
    words.settingsUsedWords(report),
  ];
  return [
    paint.bold('Probed: on the bundled probe model'),
    '',
    table.text,
    '',
    ...notes
      .filter((note) => note !== '')
      .map((note) => paint.dim(fill(note, context.columns, ''))),
  ].join('\n');
}

function parts(report: Report, { columns }: ReporterContext, paint: ChalkInstance): string {
  const table = partsTable(report, columns, paint);
  if (table === '') return '';
  const note = paint.dim(fill(partsNote(report), columns, ''));
  return [paint.bold(partsTitle(report)), table, note].join('\n');
}

function heatmap(report: Report, context: ReporterContext, paint: ChalkInstance): string {
  const candidate = context.plots ? featured(report) : undefined;
  const lines = candidate ? textHeatmap(candidate, context.columns, paint) : [];
  if (candidate === undefined || lines.length === 0) return '';
  const name = printable(candidate.label);
  return [paint.bold(`Facts found, %, by length and distance: ${name}`), ...lines].join('\n');
}

function recommendation(report: Report, context: ReporterContext, paint: ChalkInstance): string {
  const lines = [
    recommendationWords(report),
    ...words.settingsWords(report),
    ...words.referenceWords(report),
    words.HONESTY,
  ];
  return section('Recommendation', lines, context, paint);
}

function section(
  heading: string,
  lines: readonly string[],
  { columns }: ReporterContext,
  paint: ChalkInstance,
): string {
  if (lines.length === 0) return '';
  return [paint.bold(heading), ...lines.map((line) => fill(line, columns, ''))].join('\n');
}
