import { constants, open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RopeEvalError } from '../errors.js';

/** Milliseconds without a byte after which a pipe counts as abandoned. */
export const PIPE_PATIENCE = 10_000;

/**
 * Bounds the total wait for a writer that sends a byte now and then, in multiples of the patience.
 */
const MOST_PATIENCES = 30;

/** Milliseconds between two reads of an empty pipe. */
const LOOK_AGAIN = 10;

const CHUNK = 64 * 1024;

/** Limits on reading a file or a pipe. */
export interface ReadLimits {
  /** The most bytes to read. Larger files are an error and use no more memory than this. */
  readonly bytes: number;
  /** What the file should be, for the message: `a config.json`. */
  readonly kind: string;
  /** Milliseconds to wait for a pipe. */
  readonly patience?: number;
}

/**
 * Reads a whole file. The limit is checked while reading, because pipes have no size and files can
 * grow. A pipe that nobody writes to times out. Devices never end, so they are refused.
 *
 * @param shown the path for messages
 * @throws RopeEvalError `too_large`, `not_a_file`, `timed_out`; errors of the operating system as
 *   they are
 */
export async function readBounded(
  path: string,
  shown: string,
  limits: ReadLimits,
): Promise<Buffer> {
  // Without O_NONBLOCK, opening a pipe would wait in the kernel for a writer, without a time limit.
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
    // An end before any byte means that no writer has opened the pipe yet.
    if (count === 0 && bytes.size > 0) return bytes.whole();
    if (performance.now() > deadline) throw timedOut(shown, patience);
    await sleep(LOOK_AGAIN);
  }
}

/** @returns bytes read; 0 = no writer; undefined = a writer that has not written anything yet */
async function readNow(file: FileHandle, chunk: Buffer): Promise<number | undefined> {
  try {
    return (await file.read(chunk, 0, chunk.length, null)).bytesRead;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}

/** Collects chunks up to a limit. */
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

/** Makes the error of a pipe that sent nothing for `patience` milliseconds. */
export function timedOut(shown: string, patience: number): RopeEvalError {
  return new RopeEvalError('timed_out', {
    file: shown,
    problem: `nothing came out of it for ${Math.round(patience / 1000)} s`,
    hint: 'A pipe needs a program that writes into it.',
  });
}
