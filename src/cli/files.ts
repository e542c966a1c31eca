import { randomUUID } from 'node:crypto';
import { access, constants, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EXIT, RopeEvalError } from '../errors.js';

/**
 * Writes a file whole or not at all: a temporary file beside it, then a rename, so that neither a
 * full disk nor Ctrl-C leaves half a report where a good one stood.
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const temporary = besides(target);
  const mode = await stat(target).then(
    (found) => found.mode & 0o777,
    () => 0o666,
  );
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text, 'utf8');
      // Before the rename, or a power cut could leave the new name on an empty file.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw cannotWrite(path, error);
  }
}

/** Throws where `writeAtomically` could not succeed; found out before the work, not after it. */
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
});

function cannotWrite(path: string, error: unknown): RopeEvalError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const hint = code === 'ENOENT' ? `Create it first: mkdir -p '${dirname(path)}'` : '';
  return unwritable(path, REASONS[code] ?? message, hint);
}

function unwritable(path: string, why: string, hint: string): RopeEvalError {
  return new RopeEvalError(
    `cannot write ${path}: ${why}`,
    EXIT.usage,
    'unwritable_output',
    path,
    hint,
  );
}
