/** Options whose flag is another word. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['output', '-o'],
  ['sequenceLength', '--seq-len'],
]);

/**
 * An option as the command line has it: `trainedWindow` → `--trained-window`. Errors name options
 * as a program does; this is the one place that turns them into flags.
 */
function flagOf(option: string): string {
  const special = SPECIAL.get(option);
  if (special !== undefined) return special;
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Options in the texts of errors. */
export const FLAG_NAMES = Object.freeze({ place: flagOf, mention: flagOf });
