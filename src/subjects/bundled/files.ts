import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { RopeEvalError } from '../../errors.js';

/** The graph files. The device decides which one runs (training/export.py). */
export const GRAPHS = Object.freeze({
  cpu: 'decoder.onnx',
  portable: 'decoder-portable.onnx',
} as const);

/** This folder is beside `src/` in a checkout and beside `dist/` in the package. */
const directory = new URL('../../../fixtures/probe-models/', import.meta.url);

/** Returns the path of a bundled file. */
export function bundledPath(name: string): string {
  return fileURLToPath(new URL(name, directory));
}

/**
 * Reads a bundled file and compares its hash with the one in the model card.
 *
 * @throws RopeEvalError exit 3 if the file is missing or is not the one that was shipped
 */
export async function readBundled(name: string, sha256?: string): Promise<Buffer> {
  const data = await readFile(bundledPath(name)).catch((error: Error) => {
    throw damaged(`${name} is missing (${error.message})`);
  });
  if (sha256 !== undefined && createHash('sha256').update(data).digest('hex') !== sha256)
    throw damaged(`${name} differs from the one that the model card names`);
  return data;
}

/** Makes the error for a damaged installation; exit code 3. */
export function damaged(what: string): RopeEvalError {
  return new RopeEvalError('damaged_models', {
    problem: `the bundled probe models are damaged: ${what}`,
    hint: 'Install rope-eval again.',
  });
}

/** A graph with its weights. */
export interface LoadedFiles {
  readonly graph: Buffer;
  readonly graphSha256: string;
  readonly weights: Buffer;
  readonly weightsSha256: string;
}

/**
 * Reads a graph and its weights.
 *
 * @param files their names and hashes
 * @throws RopeEvalError as `readBundled`
 */
export async function loadFiles(
  files: Readonly<Record<keyof LoadedFiles, string>>,
): Promise<LoadedFiles> {
  const { graphSha256, weightsSha256 } = files;
  const graph = await readBundled(files.graph, graphSha256);
  return {
    graph,
    graphSha256,
    weights: await readBundled(files.weights, weightsSha256),
    weightsSha256,
  };
}

/** The files of a probe model, as its card lists them. */
export interface ModelFiles {
  /** The sha256 of each file. */
  readonly graphs: Readonly<Record<string, string>>;
  readonly weights: string;
  readonly weightsSha256: string;
}
