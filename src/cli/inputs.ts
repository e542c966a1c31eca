import { open } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { messageOf, RopeEvalError } from '../errors.js';
import { type EngineDump, parseDump } from '../geometry/fingerprint.js';
import { BOUNDS } from '../json/parse.js';
import { FACTOR_TENSORS, fromGguf } from '../model/other-formats.js';
import { quote } from '../text.js';
import type { Environment, FileKind } from './environment.js';
import { Bytes, PIPE_PATIENCE, type ReadLimits, timedOut } from './streams.js';

/** ggml's number for float32, the type that converters use for divisors of frequencies. */
const FLOAT32 = 0;

/**
 * Converts the header of a GGUF file to the text of a config.json. The weights are not read.
 *
 * @param path absolute path
 * @param shown the path in messages
 * @throws RopeEvalError `unreadable` if the file is not GGUF or its header is damaged
 */
async function readGguf(path: string, shown: string): Promise<string> {
  const { gguf } = await import('@huggingface/gguf');
  const parsed = await gguf(path, { allowLocalFile: true }).catch((error: unknown) => {
    throw new RopeEvalError('unreadable', {
      file: shown,
      predicate: `cannot be read as GGUF: ${messageOf(error)}`,
      hint: 'Give the config.json of the model that the file was converted from.',
    });
  });
  const factors: Record<string, readonly number[]> = {};
  for (const { name, dtype, shape, offset } of parsed.tensorInfos) {
    if (!FACTOR_TENSORS.some((one) => one === name) || dtype !== FLOAT32) continue;
    const count = Number(shape[0] ?? 0);
    if (shape.length > 1 || count < 1 || count > BOUNDS.headDim / 2) continue;
    factors[name] = await readFloats(path, Number(parsed.tensorDataOffset + offset), count);
  }
  const { metadata } = parsed;
  return JSON.stringify(fromGguf({ metadata: { ...metadata }, factors }), null, 2);
}

async function readFloats(path: string, offset: number, count: number): Promise<number[]> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(4 * count);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    if (bytesRead < bytes.length) {
      throw new RopeEvalError('unreadable', {
        file: path,
        predicate: 'ends before the divisors of its frequencies',
      });
    }
    return Array.from({ length: count }, (_, pair) => bytes.readFloatLE(4 * pair));
  } finally {
    await file.close();
  }
}

/** Matches `org/name` as on the Hugging Face Hub: two parts of letters, digits, `-`, `_`, `.`. */
const HUB_ID = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** Returns the argument if it can be a model's name on the Hub, which a `.json` file cannot. */
export function hubId(argument: string): string | undefined {
  return HUB_ID.test(argument) && !/\.jsonc?$/i.test(argument) ? argument : undefined;
}

/** `https://huggingface.co/org/name/…` → `org/name` */
export function hubIdFromUrl(url: string): string | undefined {
  const match = /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/([^/?#]+\/[^/?#]+)/i.exec(url);
  return match?.[1] === undefined ? undefined : hubId(match[1]);
}

/** Says how to download a model's config, which is a few kB and needs none of the weights. */
function whatToDownload(id: string): string {
  return (
    'Download its config first (a few kB, no weights), then give its path:\n' +
    `    hf download ${id} config.json --local-dir .\n` +
    `    curl -L -o config.json https://huggingface.co/${id}/resolve/main/config.json`
  );
}

/**
 * A larger file is something else, such as weights, and reading it would only cost memory. A text
 * of this many bytes has at most as many characters, so the reader of configs needs no other limit.
 */
const CONFIG = Object.freeze({ bytes: BOUNDS.textLength, kind: 'a config.json' });

/** A report of the thorough preset has about a megabyte, and a sweep contains many reports. */
const REPORT = Object.freeze({ bytes: 256 * 1024 * 1024, kind: 'a saved result' });

/** Enough for tables of a million positions. Longer JSON does not fit into a string of Node. */
const DUMP = Object.freeze({ bytes: 256 * 1024 * 1024, kind: 'a dump' });

/** Milliseconds without a byte on standard input. The program at the other end may be slow. */
const STDIN_PATIENCE = 12 * PIPE_PATIENCE;

/** A config that was loaded but not parsed yet. */
export interface LoadedConfig {
  readonly text: string;
  /** The name in reports: the path as given, or `-`. */
  readonly source: string;
  /** Absolute path; undefined for standard input. */
  readonly file: string | undefined;
  /** The original format, if the text was converted from another one. */
  readonly format?: string;
}

/** Loads a config from a file, from a folder with a config.json, or from standard input (`-`). */
export async function loadConfig(
  argument: string,
  environment: Environment,
): Promise<LoadedConfig> {
  if (argument.trim() === '') {
    throw new RopeEvalError('missing_config', {
      problem: 'the name of the config is empty',
      hint: 'Give a config.json, a folder that holds one, or - for standard input; an unset variable is empty too.',
    });
  }
  if (argument === '-') return fromStandardInput(environment);
  if (/^https?:\/\//i.test(argument)) throw refuseUrl(argument);
  const path = resolve(environment.cwd, argument);
  const found = await look(path, environment);
  if (found === undefined) throw await missing(argument, environment);
  if (found.kind === 'directory') return fromFolder(argument, path, environment);
  return fromFile(argument, path, environment);
}

/** The config before a change. It may be an object of git. */
export interface BaseConfig extends LoadedConfig {
  /** The config as a shell argument. */
  readonly argument: string;
}

/** Loads the config of --base; undefined if none is given. */
export async function loadBase(
  argument: string | undefined,
  environment: Environment,
): Promise<BaseConfig | undefined> {
  if (argument === undefined) return undefined;
  return { ...(await loadConfig(argument, environment)), argument: quote(argument) };
}

async function fromFolder(
  argument: string,
  folder: string,
  environment: Environment,
): Promise<LoadedConfig> {
  const path = join(folder, 'config.json');
  const found = await look(path, environment);
  if (found !== undefined && found.kind !== 'directory') {
    return fromFile(join(argument, 'config.json'), path, environment);
  }
  const snapshot = await snapshotOf(folder, environment);
  if (snapshot !== undefined) {
    throw new RopeEvalError('missing_config', {
      file: argument,
      problem:
        'this is a model in the cache of the Hugging Face Hub, with a folder for each revision',
      hint: `Give the snapshot: ${join(argument, 'snapshots', snapshot)}`,
    });
  }
  throw new RopeEvalError('missing_config', {
    file: argument,
    problem: 'no config.json in this folder',
    hint: 'Give a model folder as transformers saves it, or the config file itself.',
  });
}

/** Finds the revision that a folder of the Hub's cache points to; undefined for another folder. */
async function snapshotOf(folder: string, environment: Environment): Promise<string | undefined> {
  const snapshots = await look(join(folder, 'snapshots'), environment);
  if (snapshots?.kind !== 'directory') return undefined;
  const main = await readTextFile(join(folder, 'refs', 'main'), environment);
  const revision = main?.trim() ?? '';
  return /^[0-9a-f]{7,64}$/.test(revision) ? revision : '<revision>';
}

/** Files that users give instead of the config.json beside them, by the end of their name. */
const OTHER_FORMATS = Object.freeze([
  {
    ends: /\.onnx(_data|\.data)?$/i,
    name: 'an ONNX graph',
    hint: 'Give the config.json of the model that it was exported from.',
  },
  {
    ends: /\.safetensors$|\.bin$|\.pth?$|\.ckpt$|\.h5$|\.msgpack$|\.npz$/i,
    name: 'a file of weights',
    hint: 'Give the config.json beside it; no weights are read.',
  },
  {
    ends: /\.(engine|plan)$/i,
    name: 'an engine of TensorRT',
    hint: 'Give the config.json of the model that it was built from.',
  },
  {
    ends: /\.nemo$|\.tar(\.gz)?$|\.tgz$|\.zip$/i,
    name: 'an archive',
    hint: 'Unpack it, and give the config.json inside.',
  },
]);

function refuseOtherFormat(shown: string): void {
  const other = OTHER_FORMATS.find(({ ends }) => ends.test(shown));
  if (other === undefined) return;
  throw new RopeEvalError('other_format', {
    file: shown,
    predicate: `is ${other.name}, not a config.json`,
    hint: other.hint,
  });
}

async function fromFile(
  shown: string,
  path: string,
  environment: Environment,
): Promise<LoadedConfig> {
  refuseOtherFormat(shown);
  if (/\.gguf$/i.test(shown) && (await look(path, environment))?.kind === 'file') {
    // There is no file to write edits to, because the text was made from a binary header.
    const text = await readGguf(path, shown);
    return { text, source: shown, file: undefined, format: 'the header of a GGUF file' };
  }
  const bytes = await environment
    .readFile(path, shown, CONFIG)
    .catch((error: unknown) => rethrow(error, shown));
  return { text: decode(bytes, shown), source: shown, file: path };
}

async function fromStandardInput(environment: Environment): Promise<LoadedConfig> {
  const { stdin, stderr } = environment;
  if (stdin.isTTY) stderr.write('reading a config.json from standard input (Ctrl-D ends it)\n');
  const bytes = new Bytes('standard input', CONFIG);
  let timer: NodeJS.Timeout | undefined;
  // There is no time limit at a terminal, where a person types.
  const wait = (): void => {
    clearTimeout(timer);
    if (stdin.isTTY) return;
    timer = setTimeout(() => {
      stdin.destroy(timedOut('standard input', STDIN_PATIENCE));
    }, STDIN_PATIENCE);
  };
  try {
    wait();
    for await (const chunk of stdin as AsyncIterable<Buffer | string>) {
      bytes.add(Buffer.from(chunk as Buffer));
      wait();
    }
  } finally {
    clearTimeout(timer);
  }
  if (bytes.size === 0) {
    throw new RopeEvalError('empty', {
      problem: 'standard input is empty',
      hint: 'Pipe a config.json into it: cat config.json | rope-eval -',
    });
  }
  return { text: decode(bytes.whole(), 'standard input'), source: '-', file: undefined };
}

async function look(path: string, environment: Environment): Promise<FileKind | undefined> {
  try {
    return await environment.stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new RopeEvalError('unreadable', {
      file: relative(environment.cwd, path) || path,
      predicate: `cannot be read: ${code}`,
    });
  }
}

async function missing(argument: string, environment: Environment): Promise<RopeEvalError> {
  const id = hubId(argument);
  // `configs/gpt2` in a project with a folder `configs` is a mistyped path and not a model's name.
  const folder = await look(resolve(environment.cwd, dirname(argument)), environment);
  if (id !== undefined && folder === undefined) {
    return new RopeEvalError('hub_id', {
      file: argument,
      problem: 'no such path; it looks like a model on the Hugging Face Hub',
      hint: whatToDownload(id),
    });
  }
  const hint = folder
    ? `The folder ${dirname(argument)} exists, but holds no ${basename(argument)}.`
    : `The folder ${dirname(argument)} does not exist.`;
  return new RopeEvalError('missing_file', {
    file: argument,
    problem: 'no such file or folder',
    hint,
  });
}

function refuseUrl(url: string): RopeEvalError {
  const id = hubIdFromUrl(url);
  return new RopeEvalError('url', {
    problem: `${url} is a URL; rope-eval reads local files and downloads nothing`,
    hint: id === undefined ? `curl -L -o config.json '${url}'` : whatToDownload(id),
  });
}

function decode(bytes: Buffer, shown: string): string {
  try {
    // The byte order mark is kept, because the reader of configs handles it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RopeEvalError('not_text', {
      file: shown,
      predicate: 'is not UTF-8 text',
      hint: 'A config.json is UTF-8; save it again in that encoding.',
    });
  }
}

/** Words an error of the operating system. Errors of our own pass through. */
function rethrow(error: unknown, shown: string): never {
  if (error instanceof RopeEvalError) throw error;
  const { code, message } = error as NodeJS.ErrnoException;
  throw new RopeEvalError('unreadable', {
    file: shown,
    predicate: `cannot be read: ${code ?? message}`,
  });
}

/** Reads the text of a file; undefined if it does not exist. */
export async function readTextFile(
  path: string,
  environment: Environment,
  limits: ReadLimits = REPORT,
): Promise<string | undefined> {
  try {
    const bytes = await environment.readFile(resolve(environment.cwd, path), path, limits);
    return bytes.toString('utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    return rethrow(error, path);
  }
}

/**
 * Reads the text of a file that must exist.
 *
 * @throws RopeEvalError `missing_file`, `unreadable`
 */
export async function requireTextFile(path: string, environment: Environment): Promise<string> {
  const text = await readTextFile(path, environment);
  if (text !== undefined) return text;
  throw new RopeEvalError('missing_file', { file: path, problem: 'no such file' });
}

/** Loads tables that were dumped from an engine, for `fingerprint --diff`. */
export async function loadDump(argument: string, environment: Environment): Promise<EngineDump> {
  const path = resolve(environment.cwd, argument);
  const refuse = (why: string): never => {
    throw new RopeEvalError('dump', { option: 'diff', problem: `${argument}: ${why}` });
  };
  const bytes = await environment.readFile(path, argument, DUMP).catch((error: unknown) => {
    if (error instanceof RopeEvalError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    return refuse(code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`);
  });
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    refuse(`is not JSON: ${messageOf(error)}`);
  }
  return parseDump(json);
}
