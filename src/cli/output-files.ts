import { resolve } from 'node:path';
import { EXIT, RopeEvalError } from '../errors.js';
import { fileExtension } from '../report/reporters/index.js';
import type { Environment } from './environment.js';
import { assertWritable } from './files.js';

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
      throw new RopeEvalError(`-o ${shown} is given twice`, EXIT.usage, 'duplicate_output', '-o');
    const extension = fileExtension(path);
    const form = Object.hasOwn(forms, extension) ? forms[extension] : undefined;
    if (form === undefined) throw unknown(shown);
    await assertWritable(path);
    files.push({ path, form });
  }
  return files;
}
