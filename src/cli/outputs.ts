import { RopeEvalError } from '../errors.js';
import { REPORTERS } from '../report/reporters/index.js';
import { writeAtomically } from './files.js';
import { outputFiles } from './output-files.js';
import type { Environment } from './environment.js';
import type { Report } from '../report/schema.js';
import type { Reporter, ReporterContext } from '../report/reporters/reporter.js';

export interface Output {
  readonly path: string;
  readonly reporter: Reporter;
}

export async function prepareOutputs(
  paths: readonly string[],
  environment: Environment,
): Promise<readonly Output[]> {
  const files = await outputFiles(paths, environment, REPORTERS, unknownForm);
  return Promise.all(files.map(async ({ path, form }) => ({ path, reporter: await form.load() })));
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
