/** One argument for a POSIX shell. */
export function quote(argument: string): string {
  return /^[\w./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** A command, one option a line where there are several. */
export function command(
  words: readonly string[],
  options: readonly (readonly [flag: string, value: string])[],
): string {
  const parts = options.map(([flag, value]) => `${flag} ${quote(value)}`);
  return [words.map(quote).join(' '), ...parts].join(' \\\n  ');
}

/** Numbers for a command line: all digits that matter, no exponent that a parser might not know. */
export function decimal(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)));
}

/** JSON for people: an object a line a key, but lists of numbers on as few lines as they fit. */
export function blockJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /\n( *)("(?:[^"\\]|\\.)*": )?\[\s*(-?[\d.eE+-]+(?:,\s*-?[\d.eE+-]+)*)\s*\]/g,
    (_, indent: string, key: string | undefined, numbers: string) =>
      `\n${indent}${key ?? ''}${numberList(numbers.split(/,\s*/), indent)}`,
  );
}

function numberList(numbers: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const number of numbers) {
    const longer = line === '' ? number : `${line}, ${number}`;
    if (longer.length > LIST_WIDTH) {
      lines.push(line);
      line = number;
    } else line = longer;
  }
  lines.push(line);
  return lines.length === 1
    ? `[${line}]`
    : `[\n${indent}  ${lines.join(`,\n${indent}  `)}\n${indent}]`;
}

/** Columns that a list of numbers may take beside its indentation. */
const LIST_WIDTH = 90;
