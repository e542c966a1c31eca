import { CommanderError } from 'commander';
import { EXIT, inWords, RopeEvalError, wordError, type Words } from '../errors.js';
import { TOOL_VERSION } from '../version.js';
import type { Environment } from './environment.js';

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

/** Options whose flag is another word. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['output', '-o'],
  ['sequenceLength', '--seq-len'],
]);

/**
 * An option as the command line has it: `trainedWindow` → `--trained-window`. All texts name options
 * as a program does; this is the one place that turns them into flags.
 */
export function flagOf(option: string): string {
  const special = SPECIAL.get(option);
  if (special !== undefined) return special;
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Options in the texts of errors and verdicts. */
export const FLAG_NAMES = Object.freeze({ place: flagOf, mention: flagOf });

/** A text for the command line: words`Try a smaller ${option('samples')}.` */
export function inShell(said: Words): string {
  return inWords(said, FLAG_NAMES);
}

/** The user ended the run and there was nothing to save. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

export interface Interruptible {
  readonly signal: AbortSignal;
  readonly dispose: () => void;
}

/** The first Ctrl-C asks the run to end, which saves what is finished; the second ends at once. */
export function interruptible(environment: Environment, onFirst: () => void): Interruptible {
  const controller = new AbortController();
  const dispose = environment.onInterrupt(() => {
    if (controller.signal.aborted) {
      environment.kill(EXIT.interrupted);
      return;
    }
    onFirst();
    controller.abort();
  });
  return { signal: controller.signal, dispose };
}
