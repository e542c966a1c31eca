import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EXIT, RopeEvalError } from '../errors.js';
import type { Environment } from './environment.js';

/** A file of the command line. */
export interface NamedFile {
  /** What it is to the user: `the config`, `--base`, `-o`. */
  readonly name: string;
  /** As given; undefined where it is not a file, or was not given. */
  readonly path: string | undefined;
}

/**
 * Refuses to write over what the run reads, by whatever path both are named. What may be replaced
 * on purpose, such as the report that --resume goes on with, is not to be listed.
 *
 * @throws RopeEvalError `overwrites_input`
 */
export async function protectInputs(
  outputs: readonly NamedFile[],
  inputs: readonly NamedFile[],
  { cwd }: Environment,
): Promise<void> {
  const read = new Map<string, string>();
  for (const { name, path } of inputs) {
    if (path === undefined || path === '-') continue;
    const file = resolve(cwd, path);
    const folder = await stat(file).then(
      (found) => found.isDirectory(),
      () => false,
    );
    // A folder is read by the config in it.
    read.set(await identity(folder ? join(file, 'config.json') : file), name);
  }
  for (const { name, path } of outputs) {
    if (path === undefined) continue;
    const input = read.get(await identity(resolve(cwd, path)));
    if (input === undefined) continue;
    throw new RopeEvalError(
      `${name} ${path} would overwrite ${input}`,
      EXIT.usage,
      'overwrites_input',
      name,
      'Give another file name, such as report.json.',
    );
  }
}

/** Where a path leads; a file that does not exist yet lies in the real path of its folder. */
async function identity(path: string): Promise<string> {
  return realpath(path).catch(async () => {
    const folder = await realpath(dirname(path)).catch(() => dirname(path));
    return join(folder, basename(path));
  });
}

/** The files that `-o` names. */
export function outputsOf(paths: readonly string[] | undefined): NamedFile[] {
  return (paths ?? []).map((path) => ({ name: '-o', path }));
}
