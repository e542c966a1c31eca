import type { Writable } from 'node:stream';
import { OWN_CODE } from '../report/format.js';

/** A standard stream as Node has it; `columns` is known for terminals only. */
export type RawStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The CI systems that read commands from a job's log, by the variable that each one sets. */
const LOG_READERS = Object.freeze(['GITHUB_ACTIONS', 'TF_BUILD', 'TEAMCITY_VERSION', 'CI']);

/** What a log reader acts upon: `::command` at the start of a line, `##[…` and its kin anywhere. */
const AT_LINE_START = /^(\s*:)(?=:)/gm;
const ANYWHERE = /##(?=\[|vso\[|teamcity\[)/g;

/**
 * Characters that move a cursor, colour, hide or reorder what stands around them, or end a line
 * that does not look as if it ended: C0 but for tab and the ends of lines, C1, bidi controls, U+2028 and
 * U+2029, invisible tags.
 */
const HOSTILE =
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Shown in the place of a character that must not reach the reader. */
const SHOWN = '·';

/** A text without hostile characters, for a file or any other place that shows no colour. */
export function cleanText(text: string): string {
  return text.replaceAll(HOSTILE, SHOWN);
}

/** A value as a JSON document; hostile characters are escaped, so that it still holds the value. */
export function jsonText(value: unknown): string {
  return `${cleanJson(JSON.stringify(value, null, 2))}\n`;
}

/** The text of a JSON document with hostile characters escaped. */
export function cleanJson(text: string): string {
  const escaped = (unit: string): string =>
    `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text
    .replaceAll(HOSTILE, (found) => found.split('').map(escaped).join(''))
    .replaceAll(ANYWHERE, '#\\u0023');
}

/**
 * The one way out to a standard stream. What is written here holds text from files, paths and
 * arguments; it is made harmless for where the stream leads.
 */
export class Output {
  /** The line that was begun, as far as a log reader cares. */
  #line = '';

  constructor(
    private readonly stream: RawStream,
    private readonly env: Readonly<Record<string, string | undefined>>,
  ) {}

  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  /**
   * Whether colour and moving text are welcome: for people at a terminal. Off with a non-empty
   * `NO_COLOR` (no-color.org), with `TERM=dumb`, and in CI, whose logs keep every frame.
   */
  get isLively(): boolean {
    if (!this.isTerminal) return false;
    return !this.env['NO_COLOR'] && this.env['TERM'] !== 'dumb' && !this.env['CI'];
  }

  /** Width to print for, in characters; narrower terminals than 40 columns get lines that wrap. */
  get columns(): number {
    return Math.max(40, this.stream.columns ?? DEFAULT_COLUMNS);
  }

  /** Writes a text for people; our own colours reach a terminal that shows them. */
  write(text: string): void {
    // The codes stand at the odd places.
    const parts = text.split(OWN_CODE);
    const lively = this.isLively;
    const clean = parts.map((part, place) =>
      place % 2 === 0 ? cleanText(part) : lively ? `\u001b[${part}m` : '',
    );
    this.#send(this.#withoutCommands(clean.join('')));
  }

  /** Writes a value as a JSON document. */
  json(value: unknown): void {
    this.#send(jsonText(value));
  }

  /**
   * Writes a workflow command of GitHub's, such as an annotation. Nothing in its texts can end it
   * or begin another.
   */
  command(name: 'error' | 'warning', properties: Properties, message: string): void {
    const given = Object.entries(properties)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
    const begin = this.#line === '' ? '' : '\n';
    this.#line = '';
    this.#send(`${begin}::${name} ${given.join(',')}::${escapeMessage(message)}\n`);
  }

  /** For the spinner alone, which moves the cursor; it is given clean text. */
  get spinnerStream(): RawStream {
    return this.stream;
  }

  /** A command may come in two writes, so what stands on the line already counts. */
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

/** Characters of the longest thing that a log reader looks for, `##teamcity[`, and some more. */
const LONGEST_COMMAND = 16;

/** As `@actions/core` escapes the data of a command. */
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

/** Width where none is known: pipes, files, CI logs. */
const DEFAULT_COLUMNS = 100;
