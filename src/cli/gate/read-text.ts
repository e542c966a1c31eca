import { resolve } from 'node:path';
import { RopeEvalError } from '../../errors.js';
import type { Environment } from '../environment.js';

/** The text of a file; undefined where there is none. */
export async function readTextFile(
  path: string,
  environment: Environment,
): Promise<string | undefined> {
  try {
    const bytes = await environment.readFile(resolve(environment.cwd, path));
    return bytes.toString('utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new RopeEvalError(`cannot read ${path}: ${code}`, 2, 'unreadable', path);
  }
}

/** The text of a file that must be there. */
export async function requireTextFile(path: string, environment: Environment): Promise<string> {
  const text = await readTextFile(path, environment);
  if (text !== undefined) return text;
  throw new RopeEvalError(`no such file: ${path}`, 2, 'missing_file', path);
}
