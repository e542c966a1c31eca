import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { RopeEvalError } from '../../errors.js';

/** Graph files; which one runs depends on the device (training/export.py). */
export const GRAPHS = Object.freeze({
  cpu: 'decoder.onnx',
  portable: 'decoder-portable.onnx',
} as const);

/** `fixtures/probe-models`, beside `src/` in a checkout and beside `dist/` in the package. */
const directory = new URL('../../../fixtures/probe-models/', import.meta.url);

/** Path of a bundled file. */
export function bundledPath(name: string): string {
  return fileURLToPath(new URL(name, directory));
}

/**
 * Reads a bundled file and compares its hash with the model card.
 *
 * @throws RopeEvalError exit 3 when the file is missing or is not the one that was shipped
 */
export async function readBundled(name: string, sha256?: string): Promise<Buffer> {
  const data = await readFile(bundledPath(name)).catch((error: Error) => {
    throw damaged(`${name} is missing (${error.message})`);
  });
  if (sha256 !== undefined && createHash('sha256').update(data).digest('hex') !== sha256)
    throw damaged(`${name} differs from the one that the model card names`);
  return data;
}

export function damaged(what: string): RopeEvalError {
  return new RopeEvalError('damaged_models', {
    problem: `the bundled probe models are damaged: ${what}`,
    hint: 'Install rope-eval again.',
  });
}

/** Where a probe model lies, and what its card says of the files. */
export interface ModelFiles {
  /** File to sha256. */
  readonly graphs: Readonly<Record<string, string>>;
  readonly weights: string;
  readonly weightsSha256: string;
}
