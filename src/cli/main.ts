import { type Command, CommanderError } from 'commander';
import { EXIT, messageOf, RopeEvalError, wordError } from '../errors.js';
import type { Environment } from './environment.js';
import { explainFailure, FLAG_NAMES, InterruptedError } from './failure.js';
import { createProgram, otherCommand } from './program.js';

/** Searches the words for --json directly, because parsing stops at the first wrong option. */
export function wantsJson(program: Command, argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  if (!words.includes('--json')) return false;
  const name = words.find((word) => !word.startsWith('-'));
  const command = program.commands.find((each) => each.name() === name) ?? program;
  return command.options.some(({ long }) => long === '--json');
}

/**
 * Makes the JSON form of an error. It includes the exit code, because `make` turns every exit code
 * into 2.
 *
 * @param exitCode of the run
 * @param hint for an error of the command line
 * @returns undefined if nothing went wrong, as for --help
 */
export function errorOutput(error: unknown, exitCode: number, hint = ''): object | undefined {
  if (exitCode === EXIT.ok) return undefined;
  if (error instanceof InterruptedError) {
    return { status: 'interrupted', exitCode, message: error.message };
  }
  if (error instanceof RopeEvalError) {
    const { message, path, hint } = wordError(error.details, FLAG_NAMES);
    return { status: 'error', exitCode, kind: error.kind, message, path, hint };
  }
  const message = messageOf(error);
  const { kind, text } =
    error instanceof CommanderError
      ? { kind: kindOf(error), text: message.replace(/^error: /, '') }
      : { kind: exitCode === EXIT.usage ? 'usage' : 'unexpected', text: message };
  return { status: 'error', exitCode, kind, message: text, path: '', hint };
}

/** Converts `commander.unknownOption` to the style of our own kinds: `unknown_option`. */
function kindOf({ code }: CommanderError): string {
  const name = code.slice(code.indexOf('.') + 1);
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export { nodeEnvironment } from './environment.js';

/** How a command line ended. */
export interface Ending {
  readonly exitCode: number;
  /** What was thrown, which stderr explains; undefined if nothing was. */
  readonly error?: unknown;
}

/** Runs one command line. Never throws. */
export async function run(environment: Environment): Promise<Ending> {
  let exitCode: number = EXIT.ok;
  const program = createProgram({ environment, exitWith: (code) => (exitCode = code) });
  try {
    await program.parseAsync([...environment.argv], { from: 'user' });
    return { exitCode };
  } catch (error) {
    const code = explainFailure(error, environment);
    const hint =
      error instanceof CommanderError
        ? otherCommand(program, error.message, environment.argv)
        : undefined;
    const output = wantsJson(program, environment.argv)
      ? errorOutput(error, code, hint)
      : undefined;
    if (output) environment.stdout.json(output);
    return { exitCode: code, error };
  }
}

/** Runs one command line. Returns the exit code and never throws. */
export async function main(environment: Environment): Promise<number> {
  return (await run(environment)).exitCode;
}
