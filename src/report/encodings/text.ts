import { Chalk } from 'chalk';
import type { EncodingsReport } from '../encodings-schema.js';
import { findingLines } from '../finding-words.js';
import { printable } from '../format.js';
import { bareTable } from '../text/bare-table.js';
import { fill } from '../text/fill.js';
import { widestLine } from '../text/widest-line.js';
import { tables, type Table } from './table.js';
import { notes, statusWords } from './words.js';

interface Context {
  readonly color: boolean;
  readonly columns: number;
}

/** The comparison for a person at a terminal. */
export function encodingsText(report: EncodingsReport, { color, columns }: Context): string {
  const paint = new Chalk({ level: color ? 1 : 0 });
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
    config ? `${paint.bold(model)}  ${printable(config.source)}` : '',
    paragraphs(findings.map((f) => `${f.severity} ${f.code} ${f.message}`)),
    paragraphs(statusWords(report)),
    ...tables(report).map(section),
    paint.dim(paragraphs(notes(report))),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}
