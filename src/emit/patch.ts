import { applyEdits, modify, type FormattingOptions } from 'jsonc-parser';

/** One key to set, or to remove where the value is undefined. */
export interface Edit {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Applies edits to the text of a config and leaves every other byte as it is. */
export function patchConfig(text: string, edits: readonly Edit[]): string {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const formattingOptions = formattingOf(text);
  const patched = edits.reduce(
    (current, { path, value }) =>
      applyEdits(current, modify(current, [...path], value, { formattingOptions })),
    text.slice(mark.length),
  );
  return mark + patched;
}

/** Indentation and line ends as the file has them. */
function formattingOf(text: string): FormattingOptions {
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}
