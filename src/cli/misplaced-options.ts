import type { Command } from 'commander';
import { RopeEvalError } from '../errors.js';

/**
 * `rope-eval --json inspect x`: the option would be read by the default command and have no
 * effect on `inspect`. An option that does nothing is worse than an error.
 */
export function refuseMisplacedOptions(program: Command): void {
  program.hook('preSubcommand', (_, subcommand) => {
    const given = program.options.find(
      (option) => program.getOptionValueSource(option.attributeName()) === 'cli',
    );
    if (!given) return;
    const flag = given.long ?? given.flags;
    throw new RopeEvalError(
      `${flag} stands before the command ${subcommand.name()}, where it has no effect`,
      2,
      'misplaced_option',
      flag,
      `options of a command follow its name: rope-eval ${subcommand.name()} … ${flag}`,
    );
  });
}
