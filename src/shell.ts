/**
 * Quotes one argument for a POSIX shell, since a path may contain spaces and a candidate may be a
 * JSON object.
 */
export function quote(argument: string): string {
  return /^[\w./:=@%+,-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
