import { CommanderError } from 'commander';
import { EXIT, inWords, messageOf, RopeEvalError, wordError, type Words } from '../errors.js';
import { TOOL_VERSION } from '../version.js';
import type { Environment } from './environment.js';

/** Explains an error on stderr in words for users. @returns the exit code */
export function explainFailure(error: unknown, environment: Environment): number {
  const say = (line: string): void => void environment.stderr.write(`${line}\n`);
  // commander has printed its own message. Its exit code is 0 for --help and --version.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof InterruptedError) {
    say(error.message);
    return EXIT.interrupted;
  }
  if (error instanceof RopeEvalError) {
    for (const line of linesOf(error)) say(line);
    return error.exitCode;
  }
  for (const line of unexpected(error, environment)) say(line);
  return EXIT.runtime;
}

function linesOf({ details }: RopeEvalError): string[] {
  const { message, hint } = wordError(details, FLAG_NAMES);
  return [`error: ${message}`, ...(hint === '' ? [] : [`  ${hint}`])];
}

function unexpected(error: unknown, { env }: Environment): string[] {
  const message = messageOf(error);
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

/** Options whose flag has another name. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['output', '-o'],
  ['sequenceLength', '--seq-len'],
]);

/**
 * Converts an option to its flag: `trainedWindow` → `--trained-window`. All texts name options as
 * the API does, and only this function turns them into flags.
 */
export function flagOf(option: string): string {
  const special = SPECIAL.get(option);
  if (special !== undefined) return special;
  return `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Spells the options in errors and verdicts as flags. */
export const FLAG_NAMES = Object.freeze({ place: flagOf, mention: flagOf });

/**
 * Makes the error about an option that would do nothing.
 *
 * @param where the rest of the sentence: `beside --json`
 */
export function noEffect(
  option: string,
  where: Words,
  more: { readonly hint?: string; readonly value?: string } = {},
): RopeEvalError {
  return new RopeEvalError('no_effect', {
    option,
    predicate: ['has no effect ', ...[where].flat()],
    ...more,
  });
}

/** Words a text for the command line: words`Try a smaller ${option('samples')}.` */
export function inShell(said: Words): string {
  return inWords(said, FLAG_NAMES);
}

/** The user ended the run before there was anything to save. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** The signal of a run that Ctrl-C can end. `dispose` stops listening for Ctrl-C. */
export interface Interruptible {
  readonly signal: AbortSignal;
  readonly dispose: () => void;
}

/** The first Ctrl-C asks the run to end and save what is finished; the second ends it at once. */
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
