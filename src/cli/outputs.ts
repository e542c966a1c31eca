import { resolve } from 'node:path';
import { RopeEvalError } from '../errors.js';
import { fileExtension, REPORTERS } from '../report/reporters/index.js';
import { assertWritable, writeAtomically } from './files.js';
import type { Environment } from './environment.js';
import type { Report } from '../report/schema.js';
import type { Reporter, ReporterContext } from '../report/reporters/reporter.js';

/** A file that `-o` asked for, checked before the run. */
export interface Output {
  readonly path: string;
  readonly reporter: Reporter;
}

/** Finds what cannot be written, and forms that nobody knows, before any work is done. */
export async function prepareOutputs(
  paths: readonly string[],
  environment: Environment,
): Promise<readonly Output[]> {
  const outputs: Output[] = [];
  for (const shown of paths) {
    const path = resolve(environment.cwd, shown);
    if (outputs.some((output) => output.path === path)) {
      throw new RopeEvalError(`-o ${shown} is given twice`, 2, 'duplicate_output', '-o');
    }
    const entry = REPORTERS[fileExtension(path)];
    if (entry === undefined) throw unknownForm(shown);
    await assertWritable(path);
    outputs.push({ path, reporter: await entry.load() });
  }
  return outputs;
}

export async function writeOutputs(
  outputs: readonly Output[],
  report: Report,
  context: Partial<ReporterContext> = {},
): Promise<void> {
  for (const { path, reporter } of outputs) {
    await writeAtomically(path, reporter(report, { ...FILE_CONTEXT, ...context }));
  }
}

/** Files are read anywhere: no colour, and the width of a usual terminal. */
const FILE_CONTEXT: ReporterContext = Object.freeze({ color: false, columns: 100, plots: true });

function unknownForm(shown: string): RopeEvalError {
  const known = Object.entries(REPORTERS).map(
    ([extension, { title }]) => `${extension} (${title})`,
  );
  return new RopeEvalError(
    `-o ${shown}: the form of a report follows from the file’s extension, and this one is unknown`,
    2,
    'unknown_form',
    '-o',
    `Known: ${known.join(', ')}.`,
  );
}
