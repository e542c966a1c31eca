import type { Writable } from 'node:stream';
import { OWN_CODE } from '../report/format.js';

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

/**
 * The only way to write to a standard stream. The text may come from files, paths and arguments, so
 * it is made harmless for whatever reads the stream.
 */
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

  /** Writes a value as a JSON document. */
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
