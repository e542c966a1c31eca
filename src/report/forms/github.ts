import type { Finding } from '../../findings/types.js';

/** What GitHub shows beside a line of a pull request. */
export interface Annotation {
  readonly severity: Finding['severity'];
  readonly title: string;
  readonly message: string;
  /** Path from the repository's root. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
}

/** Larger job summaries are dropped whole: https://github.com/actions/runner/issues/1839 */
const SUMMARY_BYTES = 1024 * 1024;
const CUT = '\n\n_Cut here: a job summary holds at most 1 MiB. The saved reports have the rest._\n';

/** Workflow commands, one a line: `::error file=config.json,line=12,title=…::message` */
export function annotations(list: readonly Annotation[]): string {
  return list.map((one) => `${command(one)}\n`).join('');
}

function command({ severity, title, message, file, line }: Annotation): string {
  const properties = [
    ...(file === undefined ? [] : [`file=${property(file)}`]),
    ...(line === undefined ? [] : [`line=${line}`]),
    `title=${property(title)}`,
  ];
  return `::${severity} ${properties.join(',')}::${data(message)}`;
}

/** As the runner reads them: https://github.com/actions/toolkit, packages/core/src/command.ts */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** Markdown for `$GITHUB_STEP_SUMMARY`, cut at a line's end where it would be too long. */
export function stepSummary(markdown: string, bytes = SUMMARY_BYTES): string {
  const encoded = Buffer.from(markdown, 'utf8');
  if (encoded.length <= bytes) return markdown;
  const room = encoded.subarray(0, bytes - Buffer.byteLength(CUT)).toString('utf8');
  return room.slice(0, Math.max(0, room.lastIndexOf('\n'))) + CUT;
}
