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
