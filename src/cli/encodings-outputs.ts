import { EXIT, RopeEvalError } from '../errors.js';
import type { EncodingsReport } from '../report/encodings-schema.js';
import { ENCODINGS_FORMS } from '../report/encodings/forms.js';
import type { Environment } from './environment.js';
import { writeAtomically } from './files.js';
import { outputFiles, type OutputFile } from './output-files.js';

export type EncodingsOutput = OutputFile<(report: EncodingsReport) => string>;

export function prepareEncodingsOutputs(
  paths: readonly string[],
  environment: Environment,
): Promise<readonly EncodingsOutput[]> {
  return outputFiles(paths, environment, ENCODINGS_FORMS, unknownForm);
}

export async function writeEncodingsOutputs(
  outputs: readonly EncodingsOutput[],
  report: EncodingsReport,
): Promise<void> {
  for (const { path, form } of outputs) await writeAtomically(path, form(report));
}

function unknownForm(shown: string): RopeEvalError {
  return new RopeEvalError(
    `-o ${shown}: a comparison of position encodings has no such form`,
    EXIT.usage,
    'unknown_form',
    '-o',
    `Known: ${Object.keys(ENCODINGS_FORMS).join(', ')}.`,
  );
}
