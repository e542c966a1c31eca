import { extname, resolve } from 'node:path';
import { EXIT, RopeEvalError } from '../errors.js';
import type { EncodingsReport } from '../report/encodings-schema.js';
import { ENCODINGS_FORMS } from '../report/encodings/forms.js';
import type { Environment } from './environment.js';
import { assertWritable, writeAtomically } from './files.js';

export interface EncodingsOutput {
  readonly path: string;
  readonly write: (report: EncodingsReport) => Promise<void>;
}

/** Finds what cannot be written, and forms that a comparison does not have, before any work. */
export async function prepareEncodingsOutputs(
  paths: readonly string[],
  { cwd }: Environment,
): Promise<readonly EncodingsOutput[]> {
  const outputs: EncodingsOutput[] = [];
  for (const shown of paths) {
    const path = resolve(cwd, shown);
    if (outputs.some((output) => output.path === path))
      throw new RopeEvalError(`-o ${shown} is given twice`, EXIT.usage, 'duplicate_output', '-o');
    const extension = extname(path).toLowerCase();
    const form = Object.hasOwn(ENCODINGS_FORMS, extension) ? ENCODINGS_FORMS[extension] : undefined;
    if (form === undefined)
      throw new RopeEvalError(
        `-o ${shown}: a comparison of position encodings has no such form`,
        EXIT.usage,
        'unknown_form',
        '-o',
        `Known: ${Object.keys(ENCODINGS_FORMS).join(', ')}.`,
      );
    await assertWritable(path);
    outputs.push({ path, write: (report) => writeAtomically(path, form(report)) });
  }
  return outputs;
}
