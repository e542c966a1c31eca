import type { Command } from 'commander';
import type { Environment } from './environment.js';

/** What a command's action gets beside its own arguments. */
export interface CommandContext {
  readonly environment: Environment;
  /** The exit code of the run; 0 where an action says nothing. */
  readonly exitWith: (code: number) => void;
}

/**
 * One command: its arguments, options and action, added to the program.
 * Anything heavy is imported inside the action, so that `--help` stays instant.
 */
export type CommandModule = (program: Command, context: CommandContext) => void;
