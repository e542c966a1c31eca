import { constants, open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RopeEvalError } from '../errors.js';

/** Milliseconds without a byte after which nobody is going to write into a pipe any more. */
export const PIPE_PATIENCE = 10_000;

/** A writer of a byte now and then has so many of them in all. */
const MOST_PATIENCES = 30;

/** Milliseconds between two looks into a pipe that holds nothing. */
const LOOK_AGAIN = 10;

const CHUNK = 64 * 1024;

export interface ReadLimits {
  /** Bytes; more is an error that costs no more memory than so many. */
  readonly bytes: number;
  /** What the file should be, for the message: `a config.json`. */
  readonly kind: string;
  /** Milliseconds to wait for a pipe. */
  readonly patience?: number;
}

/**
 * Reads a file whole. The bound holds while reading, as size is no property of pipes and of files
 * that grow; a pipe that nobody writes into ends the wait, and devices, which never end, are
 * refused.
 *
 * @param shown the path for messages
 * @throws RopeEvalError `too_large`, `not_a_file`, `timed_out`; errors of the system as they come
 */
export async function readBounded(
  path: string,
  shown: string,
  limits: ReadLimits,
): Promise<Buffer> {
  // Without O_NONBLOCK, opening a pipe waits for a writer inside of the kernel, past any clock.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await file.stat();
    if (found.isFile()) {
      if (found.size > limits.bytes) throw tooLarge(shown, limits);
      return await readToEnd(file, shown, limits);
    }
    if (found.isFIFO()) return await readPipe(file, shown, limits);
    const what = found.isDirectory() ? 'a folder' : 'a device or socket';
    throw new RopeEvalError('not_a_file', {
      file: shown,
      predicate: `is ${what}, not a file`,
      hint: `Give the path of ${limits.kind}.`,
    });
  } finally {
    await file.close();
  }
}

async function readToEnd(file: FileHandle, shown: string, limits: ReadLimits): Promise<Buffer> {
  const bytes = new Bytes(shown, limits);
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK);
    if (bytesRead === 0) return bytes.whole();
    bytes.add(chunk.subarray(0, bytesRead));
  }
}

async function readPipe(file: FileHandle, shown: string, limits: ReadLimits): Promise<Buffer> {
  const bytes = new Bytes(shown, limits);
  const chunk = Buffer.allocUnsafe(CHUNK);
  const patience = limits.patience ?? PIPE_PATIENCE;
  const latest = performance.now() + MOST_PATIENCES * patience;
  let deadline = performance.now() + patience;
  for (;;) {
    const count = await readNow(file, chunk);
    if (count !== undefined && count > 0) {
      bytes.add(chunk.subarray(0, count));
      deadline = Math.min(latest, performance.now() + patience);
      continue;
    }
    // An end before any byte: the writer has not come yet.
    if (count === 0 && bytes.size > 0) return bytes.whole();
    if (performance.now() > deadline) throw timedOut(shown, patience);
    await sleep(LOOK_AGAIN);
  }
}

/** @returns bytes read; 0 = no writer; undefined = a writer that has written nothing yet */
async function readNow(file: FileHandle, chunk: Buffer): Promise<number | undefined> {
  try {
    return (await file.read(chunk, 0, chunk.length, null)).bytesRead;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}

/** Chunks up to a bound. */
export class Bytes {
  size = 0;
  readonly #chunks: Buffer[] = [];

  constructor(
    private readonly shown: string,
    private readonly limits: Pick<ReadLimits, 'bytes' | 'kind'>,
  ) {}

  /** @throws RopeEvalError `too_large` */
  add(chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > this.limits.bytes) {
      throw tooLarge(this.shown, this.limits);
    }
    this.#chunks.push(Buffer.from(chunk));
  }

  whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function tooLarge(shown: string, { bytes, kind }: Pick<ReadLimits, 'bytes' | 'kind'>) {
  return new RopeEvalError('too_large', {
    file: shown,
    predicate: `is too large for ${kind}: more than ${mebibytes(bytes)}`,
    hint: 'Is this another file, such as the weights?',
  });
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}

export function timedOut(shown: string, patience: number): RopeEvalError {
  return new RopeEvalError('timed_out', {
    file: shown,
    problem: `nothing came out of it for ${Math.round(patience / 1000)} s`,
    hint: 'A pipe needs a program that writes into it.',
  });
}
