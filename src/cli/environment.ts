import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { CompareEncodings } from '../encodings/compare.js';
import { EXIT } from '../errors.js';
import type { Evaluate } from '../options.js';
import type { RuntimeDescription } from '../subjects/bundled/pool.js';
import { Output, readBounded, type ReadLimits } from './streams.js';

/** Everything that a command needs from the process. Tests pass a fake one. */
export interface Environment {
  /** Arguments after the name of the script. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  /** Returns the size and kind of a file without reading it. */
  readonly stat: (path: string) => Promise<FileKind>;
  /** Reads a file, with limits on its size and on the wait for a pipe. @param shown for messages */
  readonly readFile: (path: string, shown: string, limits: ReadLimits) => Promise<Buffer>;
  /** Calls back on Ctrl-C or a request to end. Returns a function that stops listening. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Ends the process at once, after a second Ctrl-C. */
  readonly kill: (code: number) => void;
  /** Loads the runner of the probe models. The runtime is not touched before this is called. */
  readonly loadEvaluate: () => Promise<Evaluate>;
  /** The same for the twins of the probe model. */
  readonly loadCompareEncodings: () => Promise<CompareEncodings>;
  readonly describeHost: () => HostFacts;
  /** Describes the runtime, and tries to load a bundled model on it. */
  readonly describeRuntime: () => Promise<RuntimeDescription>;
}

/** The machine, as far as `doctor` reports it. */
export interface HostFacts {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  /** Version of the C library on Linux; null elsewhere, and with musl. */
  readonly glibc: string | null;
}

export interface FileKind {
  readonly kind: 'file' | 'directory' | 'other';
  readonly size: number;
}

/** Makes the environment of the real process. */
export function nodeEnvironment(): Environment {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe);
  return {
    argv: process.argv.slice(2),
    cwd: process.cwd(),
    env: process.env,
    stdin: process.stdin,
    stdout: new Output(process.stdout, process.env),
    stderr: new Output(process.stderr, process.env),
    stat: async (path) => {
      const found = await stat(path);
      const kind = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other';
      return { kind, size: found.size };
    },
    readFile: readBounded,
    onInterrupt: (listener) => {
      for (const signal of ENDINGS) process.on(signal, listener);
      return () => ENDINGS.forEach((signal) => process.off(signal, listener));
    },
    kill: (code) => process.exit(code),
    loadEvaluate: async () => (await import('../evaluate.js')).evaluate,
    loadCompareEncodings: async () => (await import('../encodings/compare.js')).compareEncodings,
    describeHost: hostFacts,
    describeRuntime: async () =>
      (await import('../subjects/bundled/pool.js')).describeRuntime(process.platform, process.arch),
  };
}

/** Ctrl-C, a CI system that cancels a job, a terminal that closes: finished cells are saved. */
const ENDINGS = Object.freeze(['SIGINT', 'SIGTERM', 'SIGHUP'] as const);

function hostFacts(): HostFacts {
  // The type declarations do not list the keys of the report.
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return {
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    glibc: report.header?.glibcVersionRuntime ?? null,
  };
}

/** In `rope-eval … | head` the reader closes the pipe early, which is not an error of ours. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') process.exit(EXIT.runtime);
}
