import type { ChalkInstance } from 'chalk';
import type { Emission, Note } from '../../emit/index.js';
import { printable, tokens } from '../../report/format.js';
import { fill } from '../../report/text/fill.js';

export interface EmitText {
  readonly label: string;
  readonly source: string;
  /** Tokens. */
  readonly length: number;
  readonly emissions: readonly Emission[];
  readonly columns: number;
}

/** Settings to paste, each with the versions it holds for and what to know about it. */
export function emitText(input: EmitText, paint: ChalkInstance): string {
  const { label, source, length, emissions, columns } = input;
  const head = paint.bold(
    `${printable(label)} on ${printable(source)}, for ${tokens(length)} tokens`,
  );
  return `${[head, ...emissions.map((each) => engineText(each, columns, paint))].join('\n\n')}\n`;
}

function engineText(emission: Emission, columns: number, paint: ChalkInstance): string {
  if (!emission.ok) {
    return [
      paint.bold(emission.engine),
      indented(`cannot express it: ${emission.reason}.`, columns),
      indented(`Instead: ${emission.instead}`, columns),
    ].join('\n');
  }
  const settings = emission.settings.map(
    ({ title, versions, text }) => `${paint.bold(title)} ${paint.dim(`(${versions})`)}\n${text}`,
  );
  const notes = emission.notes.map(({ kind, text }) =>
    indented(`${NOTE_WORDS[kind]}: ${text}`, columns),
  );
  return [...settings, ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n');
}

function indented(text: string, columns: number): string {
  return `  ${fill(text, columns - 2, '    ')}`;
}

const NOTE_WORDS: Readonly<Record<Note['kind'], string>> = Object.freeze({
  ignores: 'ignored',
  derives: 'derived',
  static: 'static',
  needs: 'needed',
});
