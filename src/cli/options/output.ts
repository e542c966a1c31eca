import type { Command } from 'commander';
import { collect } from './numbers.js';

/** Where a report goes; the same options for every command that makes one. */
export interface OutputFlags {
  readonly output?: readonly string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** @param what that --json prints, such as `the report` */
export function addOutputOptions(command: Command, what: string): Command {
  return command
    .option(
      '-o, --output <file>',
      'also save the report; .json, .md, .html, .xml (JUnit), .csv or .txt; may be given again',
      collect,
    )
    .option('--json', `print ${what} as JSON, and nothing else, on standard output`)
    .option('--quiet', 'no progress and no notices on standard error');
}
