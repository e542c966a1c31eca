import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import tab from '@bomb.sh/tab/commander';
import { Help, type Command } from 'commander';
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
  const command = program.commands.find((each) => each.name() === 'complete');
  command
    ?.description('print a completion script for zsh, bash, fish or powershell')
    .showHelpAfterError('(rope-eval complete --help shows what it takes)')
    .addHelpText('after', '\nIn bash: source <(rope-eval complete bash), or zsh in its place');
  showShellAsRequired(program, command);
  // The library turns the shell's own file completion off, so paths are offered here.
  const offer = (complete: (value: string, description: string) => void): void => {
    for (const path of pathsLike(argv.at(-1) ?? '', cwd)) complete(path, '');
  };
  for (const each of [root, ...root.commands.values()]) {
    for (const argument of each.arguments.values()) {
      if (PATH_ARGUMENTS.has(argument.name)) argument.handler = offer;
    }
  }
}

/**
 * The library declares `[shell]` and refuses to go on without it. It is optional only where a shell
 * asks for completions (`complete -- words`, and bash sends no word at first), so only the help changes.
 */
function showShellAsRequired(program: Command, command: Command | undefined): void {
  command?.usage('<shell>');
  const usual = new Help();
  program.configureHelp({
    subcommandTerm: (each) => usual.subcommandTerm(each).replace('[shell]', '<shell>'),
  });
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
