import { constants, type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { RopeEvalError } from '../errors.js';
import { OWN_CODE } from '../report/format.js';

/** Milliseconds without a byte after which a pipe counts as abandoned. */
export const PIPE_PATIENCE = 10_000;

/** Bounds the wait for a writer that sends a byte now and then, in multiples of the patience. */
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
}

/**
 * Reads a whole file. The limit is checked while reading, because pipes have no size and files can
 * grow. A pipe that nobody writes to times out. Devices never end, so they are refused.
 *
 * @param shown the path for messages
 * @param patience milliseconds to wait for a pipe
 * @throws RopeEvalError `too_large`, `not_a_file`, `timed_out`; errors of the operating system as
 *   they are
 */
export async function readBounded(
  path: string,
  shown: string,
  limits: ReadLimits,
  patience = PIPE_PATIENCE,
): Promise<Buffer> {
  // Without O_NONBLOCK, opening a pipe would wait in the kernel for a writer, without a time limit.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await file.stat();
    if (found.isFile()) {
      if (found.size > limits.bytes) throw tooLarge(shown, limits);
      return await readToEnd(file, new Bytes(shown, limits));
    }
    if (found.isFIFO()) return await readPipe(file, new Bytes(shown, limits), patience);
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

async function readToEnd(file: FileHandle, bytes: Bytes): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK);
    if (bytesRead === 0) return bytes.whole();
    bytes.add(chunk.subarray(0, bytesRead));
  }
}

async function readPipe(file: FileHandle, bytes: Bytes, patience: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK);
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
    if (performance.now() > deadline) throw timedOut(bytes.shown, patience);
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
    readonly shown: string,
    private readonly limits: ReadLimits,
  ) {}

  /** @throws RopeEvalError `too_large` */
  add(chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > this.limits.bytes) throw tooLarge(this.shown, this.limits);
    this.#chunks.push(Buffer.from(chunk));
  }

  whole(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function tooLarge(shown: string, { bytes, kind }: ReadLimits): RopeEvalError {
  return new RopeEvalError('too_large', {
    file: shown,
    predicate: `is too large for ${kind}: more than ${Math.ceil(bytes / 1024 / 1024)} MiB`,
    hint: 'Is this another file, such as the weights?',
  });
}

/** Makes the error of a pipe that sent nothing for `patience` milliseconds. */
export function timedOut(shown: string, patience: number): RopeEvalError {
  return new RopeEvalError('timed_out', {
    file: shown,
    problem: `nothing came out of it for ${Math.round(patience / 1000)} s`,
    hint: 'A pipe needs a program that writes into it.',
  });
}

/** A standard stream of Node. Only terminals have `columns`. */
export type RawStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Variables set by CI systems that read commands from a job's log. */
const LOG_READERS = Object.freeze(['GITHUB_ACTIONS', 'TF_BUILD', 'TEAMCITY_VERSION', 'CI']);

/** Patterns that log readers act on: `::command` at the start of a line, `##[…` anywhere. */
const AT_LINE_START = /^(\s*:)(?=:)/gm;
const ANYWHERE = /##(?=\[|vso\[|teamcity\[)/g;

/**
 * Characters that move the cursor, set colours, hide or reorder the text around them, or end a line
 * invisibly: C0 except tab and line ends, C1, bidi controls, U+2028 and U+2029, invisible tags.
 */
const HOSTILE =
  // eslint-disable-next-line no-control-regex -- the pattern looks for them
  /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Replaces characters that must not reach the reader. */
const SHOWN = '·';

/** Replaces the hostile characters of a text, for a file or another place that shows no colour. */
export function cleanText(text: string): string {
  return text.replaceAll(HOSTILE, SHOWN);
}

/** Writes a value as a JSON document. Hostile characters are escaped, so the value is preserved. */
export function jsonText(value: unknown): string {
  return `${cleanJson(JSON.stringify(value, null, 2))}\n`;
}

/** Escapes the hostile characters in the text of a JSON document. */
export function cleanJson(text: string): string {
  const escaped = (unit: string): string =>
    `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text
    .replaceAll(HOSTILE, (found) => found.split('').map(escaped).join(''))
    .replaceAll(ANYWHERE, '#\\u0023');
}

/** The only way to write to a standard stream. Text is made harmless for whatever reads it. */
export class Output {
  /** The current line, as far as it matters to a log reader. */
  #line = '';

  constructor(
    private readonly stream: RawStream,
    private readonly env: Readonly<Record<string, string | undefined>>,
  ) {}

  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  /**
   * Whether colour and moving text are wanted, which is only so at a terminal. A non-empty
   * `NO_COLOR` (no-color.org), `TERM=dumb` and CI turn them off, because CI logs keep every frame.
   */
  get isLively(): boolean {
    if (!this.isTerminal) return false;
    return !this.env['NO_COLOR'] && this.env['TERM'] !== 'dumb' && !this.env['CI'];
  }

  /**
   * Width to print for, in characters. Where output is piped, `COLUMNS` says it (POSIX.1-2024,
   * 8.3). On terminals narrower than 40 columns, lines wrap.
   */
  get columns(): number {
    return Math.max(40, this.stream.columns ?? this.#columnsAsked ?? DEFAULT_COLUMNS);
  }

  get #columnsAsked(): number | undefined {
    const asked = this.env['COLUMNS'] ?? '';
    return /^[1-9]\d{0,3}$/.test(asked) ? Number(asked) : undefined;
  }

  /** Writes text for people. Our own colours are kept if the stream is a lively terminal. */
  write(text: string): void {
    // Colour codes are at the odd positions.
    const parts = text.split(OWN_CODE);
    const lively = this.isLively;
    const clean = parts.map((part, place) =>
      place % 2 === 0 ? cleanText(part) : lively ? `\u001b[${part}m` : '',
    );
    this.#send(this.#withoutCommands(clean.join('')));
  }

  json(value: unknown): void {
    this.#send(jsonText(value));
  }

  /**
   * Writes a workflow command of GitHub, such as an annotation. Nothing in its texts can end the
   * command or begin another.
   */
  command(name: 'error' | 'warning', properties: Properties, message: string): void {
    const given = Object.entries(properties)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
    const begin = this.#line === '' ? '' : '\n';
    this.#line = '';
    this.#send(`${begin}::${name} ${given.join(',')}::${escapeMessage(message)}\n`);
  }

  /** For the spinner only, which moves the cursor. It receives clean text. */
  get spinnerStream(): RawStream {
    return this.stream;
  }

  /**
   * Breaks up workflow commands. A command may arrive in two writes, so the text that is already on
   * the line is included.
   */
  #withoutCommands(text: string): string {
    if (!LOG_READERS.some((name) => this.env[name])) return text;
    const begun = this.#line;
    const whole = (begun + text).replaceAll(ANYWHERE, '## ').replaceAll(AT_LINE_START, '$1 ');
    const line = whole.slice(whole.lastIndexOf('\n') + 1);
    if (line.trim() === '') this.#line = line === '' ? '' : ' ';
    else this.#line = line.length > LONGEST_COMMAND ? `…${line.slice(-LONGEST_COMMAND)}` : line;
    return whole.slice(begun.length);
  }

  #send(text: string): void {
    this.stream.write(text);
  }
}

type Properties = Readonly<Record<string, string | number | undefined>>;

/** Longer than `##teamcity[`, the longest pattern that a log reader looks for. */
const LONGEST_COMMAND = 16;

/** Escapes the data of a command as `@actions/core` does. */
function escapeMessage(text: string): string {
  return text
    .replaceAll('%', '%25')
    .replaceAll('\r', '%0D')
    .replaceAll('\n', '%0A')
    .replaceAll(HOSTILE, SHOWN)
    .replaceAll(ANYWHERE, '## ');
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** Width if none is known: pipes, files, CI logs. */
const DEFAULT_COLUMNS = 100;
