/** One argument for a POSIX shell: a path may have blanks, a candidate may be a JSON object. */
export function quote(argument: string): string {
  return /^[\w./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
