import { stat } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import type { Environment } from '../../src/cli/environment.js';
import { run } from '../../src/cli/main.js';
import { Output, readBounded } from '../../src/cli/streams.js';
import type { CompareEncodings } from '../../src/encodings/compare.js';
import type { ReadConfig } from '../../src/model/read-model.js';
import type { Evaluate, EvaluateOptions } from '../../src/options.js';
import { makeReport } from './report.js';

/** A stream that records what is written to it. */
class Recorder extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(terminal: boolean, columns: number) {
    super();
    this.isTTY = terminal;
    this.columns = columns;
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }

  // Methods that a spinner calls on a terminal.
  clearLine = (): boolean => true;
  cursorTo = (): boolean => true;
  moveCursor = (): boolean => true;
}

export interface FakeOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly env?: Record<string, string>;
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly evaluate?: Evaluate;
  readonly compareEncodings?: CompareEncodings;
  readonly changes?: Partial<Environment>;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What ended the command, as data: `kind`, and `details` with the place. undefined = nothing. */
  readonly error: unknown;
  /** The calls of `evaluate`; empty if there were none. */
  readonly calls: readonly {
    readonly config: string | ReadConfig;
    readonly options: EvaluateOptions;
  }[];
  readonly killed: readonly number[];
}

export interface FakeProcess {
  readonly environment: Environment;
  /** Presses Ctrl-C. */
  readonly interrupt: () => void;
  readonly run: () => Promise<Ran>;
}

/** Runs the command line in this process, on a fake environment. Only the probes are not real. */
export function fakeProcess(argv: readonly string[], options: FakeOptions = {}): FakeProcess {
  const { terminal = false, columns = 100, cwd = process.cwd() } = options;
  const env = options.env ?? {};
  const stdout = new Recorder(terminal, columns);
  const stderr = new Recorder(terminal, columns);
  const calls: { config: string | ReadConfig; options: EvaluateOptions }[] = [];
  const killed: number[] = [];
  const listeners = new Set<() => void>();
  const evaluate: Evaluate = async (config, given = {}) => {
    // The real function refuses unknown options, so that a command cannot pass one on unnoticed.
    const { checkOptions, EVALUATE_OPTIONS } = await import('../../src/options.js');
    checkOptions(given, EVALUATE_OPTIONS);
    calls.push({ config, options: given });
    return options.evaluate ? options.evaluate(config, given) : makeReport();
  };
  const environment: Environment = {
    argv,
    cwd,
    env,
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: new Output(stdout, env),
    stderr: new Output(stderr, env),
    stat: async (path) => {
      const found = await stat(path);
      return { kind: found.isDirectory() ? 'directory' : 'file', size: found.size };
    },
    readFile: readBounded,
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    kill: (code) => killed.push(code),
    loadEvaluate: async () => evaluate,
    loadCompareEncodings: async () => {
      const { compareEncodings } = options;
      if (compareEncodings === undefined) throw new Error('unset');
      const { checkOptions, ENCODINGS_OPTIONS } = await import('../../src/options.js');
      return (given = {}) => {
        checkOptions(given, ENCODINGS_OPTIONS);
        return compareEncodings(given);
      };
    },
    describeHost: () => ({ node: '20.20.2', platform: 'linux', arch: 'x64', glibc: '2.36' }),
    describeRuntime: async () => ({
      onnxruntime: '1.30.0',
      libraryFolder: '/somewhere/bin',
      providers: [
        { name: 'cpu', library: 'libonnxruntime.so.1', present: true },
        { name: 'cuda', library: 'libonnxruntime_providers_cuda.so', present: false },
      ],
      trial: { ok: true, model: 'c038-w256', milliseconds: 12.3 },
      probeModels: ['c038-w256'],
    }),
    ...options.changes,
  };
  return {
    environment,
    interrupt: () => [...listeners].forEach((listener) => listener()),
    run: async () => {
      const { exitCode: code, error } = await run(environment);
      return { code, error, stdout: stdout.text, stderr: stderr.text, calls, killed };
    },
  };
}

export function runCli(argv: readonly string[], options: FakeOptions = {}): Promise<Ran> {
  return fakeProcess(argv, options).run();
}
