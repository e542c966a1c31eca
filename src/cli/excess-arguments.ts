import type { Command } from 'commander';
import { EXIT, RopeEvalError } from '../errors.js';
import { suggest } from '../suggest.js';

/**
 * Refuses arguments that no command would read. An argument that is dropped without a word is
 * worse than an error: `check a.json b.json` would pass a config that nobody looked at.
 *
 * commander could refuse them too, but knows neither what a second config asks for nor that the
 * first of `rope-eval inspct config.json` is a misspelt command.
 */
export function refuseExcessArguments(program: Command): void {
  program.allowExcessArguments().hook('preAction', (_, command) => {
    // What a shell asks to have completed is a command line of its own.
    if (command.name() === 'complete') return;
    const taken = command.registeredArguments;
    if (command.args.length <= taken.length || taken.at(-1)?.variadic === true) return;
    throw command === program ? secondArgument(program) : excess(command);
  });
}

function excess(command: Command): RopeEvalError {
  const { registeredArguments: taken, args } = command;
  const usage = `rope-eval ${command.name()} ${command.usage()}`;
  if (taken.length === 1 && taken[0]?.name() === 'config') {
    const loop =
      command.name() === 'check'
        ? `For several, a loop: for c in ${listed(args)}; do rope-eval check "$c" || break; done. ` +
          '(rope-eval sweep evaluates many, but judges none.)'
        : `For several, call rope-eval ${command.name()} once for each.`;
    return tooMany(`${command.name()} takes one config at a time`, args, loop);
  }
  const most = taken.length === 0 ? 'no arguments' : `at most ${taken.length}`;
  return tooMany(`${command.name()} takes ${most}`, args, `Usage: ${usage}`);
}

function secondArgument(program: Command): RopeEvalError {
  const [first = ''] = program.args;
  const names = program.commands.map((command) => command.name());
  const meant = suggest(first, names);
  if (meant !== undefined) {
    return new RopeEvalError(
      `unknown command ${first} (did you mean ${meant}?)`,
      EXIT.usage,
      'unknown_command',
    );
  }
  return tooMany('one config at a time', program.args, `Commands: ${names.join(', ')}.`);
}

function tooMany(what: string, args: readonly string[], hint: string): RopeEvalError {
  const found = `found ${args.length}: ${listed(args)}`;
  return new RopeEvalError(`${what}; ${found}`, EXIT.usage, 'too_many_arguments', '', hint);
}

/** A shell may have made hundreds out of one pattern. */
const LISTED = 5;

function listed(args: readonly string[]): string {
  return args.length > LISTED ? `${args.slice(0, LISTED).join(' ')} …` : args.join(' ');
}
