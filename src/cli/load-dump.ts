import { resolve } from 'node:path';
import { EXIT, RopeEvalError } from '../errors.js';
import { parseDump, type EngineDump } from '../geometry/engine-dump.js';
import type { Environment } from './environment.js';

/** The tables of a million positions; JSON of more does not fit into a string of Node's. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Numbers dumped from an engine, for `fingerprint --diff`. */
export async function loadDump(argument: string, environment: Environment): Promise<EngineDump> {
  const path = resolve(environment.cwd, argument);
  const refuse = (why: string): never => {
    throw new RopeEvalError(`--diff ${argument}: ${why}`, EXIT.usage, 'dump', '--diff');
  };
  const size = await environment.stat(path).then(
    (found) => found.size,
    (error: NodeJS.ErrnoException) =>
      refuse(error.code === 'ENOENT' ? 'no such file' : `cannot be read (${error.code})`),
  );
  if (size > MAX_BYTES) refuse(`larger than ${MAX_BYTES} bytes; dump fewer positions`);
  const bytes = await environment
    .readFile(path)
    .catch((error: NodeJS.ErrnoException) => refuse(`cannot be read (${error.code})`));
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    refuse(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return parseDump(json);
}
