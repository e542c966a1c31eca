import type { EncodingsReport } from '../encodings-schema.js';
import { findingLines } from '../finding-words.js';
import { code, plain, table } from '../markdown/parts.js';
import { tables } from './table.js';
import { notes, statusWords } from './words.js';

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
