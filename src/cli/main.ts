import { type Command, CommanderError } from 'commander';
import { EXIT, RopeEvalError, wordError } from '../errors.js';
import { TOOL_VERSION } from '../version.js';
import type { Environment } from './environment.js';
import { FLAG_NAMES } from './flags.js';
import { InterruptedError } from './interrupt.js';
import { createProgram } from './program.js';

/** Says on stderr what went wrong, in words for the person it happened to; gives the exit code. */
export async function explainFailure(error: unknown, environment: Environment): Promise<number> {
  const say = (line: string): void => void environment.stderr.write(`${line}\n`);
  // commander has printed its own message; 0 is --help and --version.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof InterruptedError) {
    say(error.message);
    return EXIT.interrupted;
  }
  if (error instanceof RopeEvalError) {
    for (const line of linesOf(error)) say(line);
    return error.exitCode;
  }
  const issues = await zodMessage(error);
  if (issues !== undefined) {
    say(`error: ${issues}`);
    return EXIT.usage;
  }
  for (const line of unexpected(error, environment)) say(line);
  return EXIT.runtime;
}

function linesOf({ details }: RopeEvalError): string[] {
  const { message, hint } = wordError(details, FLAG_NAMES);
  return [`error: ${message}`, ...(hint === '' ? [] : [`  ${hint}`])];
}

/** zod is loaded only where an error looks like one of its own. */
async function zodMessage(error: unknown): Promise<string | undefined> {
  if (!(error instanceof Error) || !('issues' in error)) return undefined;
  const { z } = await import('zod');
  return error instanceof z.core.$ZodError ? z.prettifyError(error) : undefined;
}

function unexpected(error: unknown, { env }: Environment): string[] {
  const message = error instanceof Error ? error.message : String(error);
  const wantsStack = Boolean(env['ROPE_EVAL_DEBUG'] || env['DEBUG']);
  if (wantsStack && error instanceof Error && error.stack !== undefined) {
    return [`error: unexpected: ${message}`, error.stack];
  }
  return [
    `error: unexpected: ${message.split('\n')[0]}`,
    '  This is a defect of rope-eval. Please report it with the command, the config and the output',
    `  of the same command with ROPE_EVAL_DEBUG=1 (rope-eval ${TOOL_VERSION}, see \`rope-eval doctor\`).`,
  ];
}

/**
 * Whether a command line asks for JSON. Read from the words themselves: where the options are what
 * is wrong, nobody has parsed them to the end.
 */
export function wantsJson(program: Command, argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  if (!words.includes('--json')) return false;
  const name = words.find((word) => !word.startsWith('-'));
  const command = program.commands.find((each) => each.name() === name) ?? program;
  return command.options.some(({ long }) => long === '--json');
}

/**
 * With --json an error has a JSON form too: `make` turns every exit code into 2.
 *
 * @param exitCode of the run
 * @returns undefined where nothing went wrong, as for --help
 */
export function errorOutput(error: unknown, exitCode: number): object | undefined {
  if (exitCode === EXIT.ok) return undefined;
  if (error instanceof InterruptedError) {
    return { status: 'interrupted', exitCode, message: error.message };
  }
  if (error instanceof RopeEvalError) {
    const { message, path, hint } = wordError(error.details, FLAG_NAMES);
    return { status: 'error', exitCode, kind: error.kind, message, path, hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  const { kind, text } =
    error instanceof CommanderError
      ? { kind: kindOf(error), text: message.replace(/^error: /, '') }
      : { kind: exitCode === EXIT.usage ? 'usage' : 'unexpected', text: message };
  return { status: 'error', exitCode, kind, message: text, path: '', hint: '' };
}

/** `commander.unknownOption` as the other kinds are written: `unknown_option`. */
function kindOf({ code }: CommanderError): string {
  const name = code.slice(code.indexOf('.') + 1);
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export { nodeEnvironment } from './environment.js';

/** Runs one command line; returns the exit code and never throws. */
export async function main(environment: Environment): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram({ environment, exitWith: (code) => (exitCode = code) });
  try {
    await program.parseAsync([...environment.argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    const code = await explainFailure(error, environment);
    const output = wantsJson(program, environment.argv) ? errorOutput(error, code) : undefined;
    if (output) environment.stdout.json(output);
    return code;
  }
}
