import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import {
  access,
  appendFile,
  constants,
  type FileHandle,
  open,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { RopeEvalError } from '../errors.js';
import type { Reporter, ReporterContext } from '../report/forms/form.js';
import { fileExtension, REPORTERS } from '../report/forms/index.js';
import type { Report } from '../report/schema/report.js';
import type { Environment } from './environment.js';
import { cleanJson, cleanText } from './streams.js';
import { flagOf } from './failure.js';

/**
 * Writes a file completely or not at all: it writes a temporary file next to it and renames that.
 * Neither a full disk nor Ctrl-C then leaves half a report in the place of a good one.
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const temporary = besides(target);
  const before = await stat(target).catch(() => undefined);
  try {
    const file = await open(temporary, 'wx', before === undefined ? 0o666 : 0o600);
    try {
      await file.writeFile(text, 'utf8');
      if (before !== undefined) await keepOwner(file, before);
      // Without this sync before the rename, a power cut could leave an empty file under the new
      // name.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    // Removing the file may fail too, but the first error is the one to report.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw cannotWrite(path, error);
  }
}

/** Copies mode and owner of the replaced file, or root would own it and the umask restrict it. */
async function keepOwner(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const now = await file.stat();
  if (now.uid !== uid || now.gid !== gid) {
    // Users other than root may write to a file of another owner, but may not give files away.
    await file.chown(uid, gid).catch(() => undefined);
  }
  await file.chmod(mode & 0o777);
}

/** Appends text to a file that others also write to, such as the summary of a CI job. */
export async function appendText(path: string, text: string): Promise<void> {
  await appendFile(path, text).catch((error: unknown) => {
    throw cannotWrite(path, error);
  });
}

/** Counts a file's other hard links, which keep the old text after `writeAtomically`. */
export async function otherNames(path: string): Promise<number> {
  return stat(path).then(
    ({ nlink }) => nlink - 1,
    () => 0,
  );
}

/**
 * Writes text or JSON, depending on the file's name. Control characters that a config could contain
 * are neutralized, because the file may be shown in a terminal or a log.
 */
export async function writeReport(path: string, text: string): Promise<void> {
  await writeAtomically(
    path,
    path.toLowerCase().endsWith('.json') ? cleanJson(text) : cleanText(text),
  );
}

/**
 * Checks before the run that `writeAtomically` can succeed afterwards.
 *
 * @throws RopeEvalError `unwritable_output`
 */
export async function assertWritable(path: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory()) {
    throw unwritable(path, 'it is a folder', 'Give a file name, such as report.json.');
  }
  const temporary = besides(target);
  try {
    if (found) await access(target, constants.W_OK);
    await (await open(temporary, 'wx')).close();
  } catch (error) {
    throw cannotWrite(path, error);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

function besides(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.tmp`);
}

const REASONS: Readonly<Record<string, string>> = Object.freeze({
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'part of the path is no folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EIO: 'the disk reports an error',
});

function cannotWrite(path: string, error: unknown): RopeEvalError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const hint = code === 'ENOENT' ? `Create it first: mkdir -p '${dirname(path)}'` : '';
  return unwritable(path, REASONS[code] ?? message, hint);
}

function unwritable(path: string, why: string, hint: string): RopeEvalError {
  return new RopeEvalError('unwritable_output', {
    file: path,
    predicate: `cannot be written: ${why}`,
    hint,
  });
}

/** A file that the command line names. */
export interface NamedFile {
  /** What the user calls it: `the config`, `--base`, `-o`. */
  readonly name: string;
  /** The path as given; undefined if it is not a file or was not given. */
  readonly path: string | undefined;
}

/**
 * Refuses to overwrite a file that the run reads, even if the two paths differ. Files that are
 * meant to be replaced, such as the report that --resume continues, are not listed in `inputs`.
 *
 * @throws RopeEvalError `overwrites_input`
 */
export async function protectInputs(
  outputs: readonly NamedFile[],
  inputs: readonly NamedFile[],
  { cwd }: Environment,
): Promise<void> {
  const read = new Map<string, string>();
  for (const { name, path } of inputs) {
    if (path === undefined || path === '-') continue;
    const file = resolve(cwd, path);
    const folder = await stat(file).then(
      (found) => found.isDirectory(),
      () => false,
    );
    // A folder stands for the config in it.
    read.set(await identity(folder ? join(file, 'config.json') : file), name);
  }
  for (const { name, path } of outputs) {
    if (path === undefined) continue;
    const input = read.get(await identity(resolve(cwd, path)));
    if (input === undefined) continue;
    throw new RopeEvalError('overwrites_input', {
      path: name,
      problem: `${path} would overwrite ${input}`,
      hint: 'Give another file name, such as report.json.',
    });
  }
}

/** The real path of a file. If the file does not exist yet, it is looked up by its folder. */
async function identity(path: string): Promise<string> {
  return realpath(path).catch(async () => {
    const folder = await realpath(dirname(path)).catch(() => dirname(path));
    return join(folder, basename(path));
  });
}

export function outputsOf(paths: readonly string[] | undefined): NamedFile[] {
  return (paths ?? []).map((path) => ({ name: flagOf('output'), path }));
}

/** A file that `-o` names, checked before the run. */
export interface OutputFile<Form> {
  readonly path: string;
  readonly form: Form;
}

/**
 * Finds unwritable files and unknown forms before any work is done.
 *
 * @param forms by extension
 * @param unknown what an error says about an unknown form; it lists the known ones
 */
export async function outputFiles<Form>(
  paths: readonly string[],
  { cwd }: Environment,
  forms: Readonly<Record<string, Form>>,
  unknown: { readonly problem: string; readonly hint: string },
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
    if (form === undefined) {
      throw new RopeEvalError('unknown_form', { option: 'output', value: shown, ...unknown });
    }
    await assertWritable(path);
    files.push({ path, form });
  }
  return files;
}

/** A file that `-o` names, with the function that draws its form. */
export type Output = OutputFile<Reporter>;

/**
 * Checks the files that `-o` names and loads their forms before the run.
 *
 * @throws RopeEvalError `unwritable_output`, `unknown_form`
 */
export async function prepareOutputs(
  paths: readonly string[],
  environment: Environment,
): Promise<readonly Output[]> {
  const known = Object.entries(REPORTERS).map(
    ([extension, { title }]) => `${extension} (${title})`,
  );
  const files = await outputFiles(paths, environment, REPORTERS, {
    problem: 'the form of a report follows from the file’s extension, and this one is unknown',
    hint: `Known: ${known.join(', ')}.`,
  });
  return Promise.all(files.map(async ({ path, form }) => ({ path, form: await form.load() })));
}

/** Draws a report in each form and writes the files. */
export async function writeOutputs(
  outputs: readonly Output[],
  report: Report,
  context: Partial<ReporterContext> = {},
): Promise<void> {
  for (const { path, form: draw } of outputs) {
    await writeReport(path, draw(report, { ...FILE_CONTEXT, ...context }));
  }
}

/** Files are read anywhere, so they have no colour and the width of a typical terminal. */
const FILE_CONTEXT: ReporterContext = Object.freeze({ color: false, columns: 100, plots: true });
