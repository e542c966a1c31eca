import { resolve } from 'node:path';
import { RopeEvalError } from '../errors.js';
import type { Reporter, ReporterContext } from '../report/forms/form.js';
import { fileExtension, REPORTERS } from '../report/forms/index.js';
import type { Report } from '../report/schema/report.js';
import type { Environment } from './environment.js';
import { assertWritable, writeReport } from './files.js';

/** A file that `-o` asked for, checked before the run. */
export interface OutputFile<Form> {
  readonly path: string;
  readonly form: Form;
}

/**
 * Finds what cannot be written, and forms that nobody knows, before any work is done.
 *
 * @param forms by extension
 * @param unknown says what is wrong with a form, and which there are
 */
export async function outputFiles<Form>(
  paths: readonly string[],
  { cwd }: Environment,
  forms: Readonly<Record<string, Form>>,
  unknown: (shown: string) => RopeEvalError,
): Promise<readonly OutputFile<Form>[]> {
  const files: OutputFile<Form>[] = [];
  for (const shown of paths) {
    const path = resolve(cwd, shown);
    if (files.some((file) => file.path === path))
      throw new RopeEvalError('duplicate_output', {
        option: 'output',
        value: shown,
        predicate: 'is given twice',
      });
    const extension = fileExtension(path);
    const form = Object.hasOwn(forms, extension) ? forms[extension] : undefined;
    if (form === undefined) throw unknown(shown);
    await assertWritable(path);
    files.push({ path, form });
  }
  return files;
}

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
    await writeReport(path, reporter(report, { ...FILE_CONTEXT, ...context }));
  }
}

/** Files are read anywhere: no colour, and the width of a usual terminal. */
const FILE_CONTEXT: ReporterContext = Object.freeze({ color: false, columns: 100, plots: true });

function unknownForm(shown: string): RopeEvalError {
  const known = Object.entries(REPORTERS).map(
    ([extension, { title }]) => `${extension} (${title})`,
  );
  return new RopeEvalError('unknown_form', {
    option: 'output',
    value: shown,
    problem: 'the form of a report follows from the file’s extension, and this one is unknown',
    hint: `Known: ${known.join(', ')}.`,
  });
}
