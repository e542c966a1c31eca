import type { Command } from 'commander';
import { EXIT, RopeEvalError } from '../errors.js';
import { suggest } from '../suggest.js';

/**
 * `rope-eval inspct config.json`: to commander the misspelt command is a config and the config one
 * argument too many. Says what was more likely meant.
 */
export function refuseSecondArgument(program: Command): void {
  const [first = '', ...rest] = program.args;
  if (rest.length === 0) return;
  const names = program.commands.map((command) => command.name());
  const meant = suggest(first, names);
  if (meant !== undefined) {
    throw new RopeEvalError(
      `unknown command ${first} (did you mean ${meant}?)`,
      EXIT.usage,
      'unknown_command',
    );
  }
  throw new RopeEvalError(
    `one config at a time; found ${program.args.length}: ${program.args.join(' ')}`,
    EXIT.usage,
    'too_many_arguments',
    '',
    `Commands: ${names.join(', ')}.`,
  );
}
