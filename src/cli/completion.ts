import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import type { Environment } from './environment.js';

/** Arguments that are paths; everything else completes from the commands themselves. */
const PATH_ARGUMENTS: ReadonlySet<string> = new Set([
  'config',
  'configs',
  'before',
  'after',
  'parts',
]);

/** Adds `complete <shell>`, and the answers that the printed script asks for. */
export function addCompletion(program: Command, { argv, cwd }: Environment): void {
  const root = tab(program);
  program.commands
    .find((command) => command.name() === 'complete')
    ?.description('print a completion script for zsh, bash, fish or powershell')
    .addHelpText('after', '\nIn bash: source <(rope-eval complete bash), or zsh in its place');
  // The library turns the shell's own file completion off, so paths are offered here.
  const offer = (complete: (value: string, description: string) => void): void => {
    for (const path of pathsLike(argv.at(-1) ?? '', cwd)) complete(path, '');
  };
  for (const command of [root, ...root.commands.values()]) {
    for (const argument of command.arguments.values()) {
      if (PATH_ARGUMENTS.has(argument.name)) argument.handler = offer;
    }
  }
}

/** JSON files and folders that may follow what was typed. */
function pathsLike(typed: string, cwd: string): readonly string[] {
  const folder = typed.endsWith('/') ? typed : dirname(typed);
  const hidden = typed.slice(typed.lastIndexOf('/') + 1).startsWith('.');
  try {
    return readdirSync(resolve(cwd, folder), { withFileTypes: true })
      .filter((entry) => hidden || !entry.name.startsWith('.'))
      .filter((entry) => entry.isDirectory() || /\.jsonc?$/i.test(entry.name))
      .map((entry) => join(folder, entry.name) + (entry.isDirectory() ? '/' : ''));
  } catch {
    return [];
  }
}
