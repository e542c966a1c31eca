import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { Worker as Thread } from 'node:worker_threads';
import { messageOf, RopeEvalError } from '../errors.js';

/** The answer of a child: a value, or the reason why there is none. */
export interface WorkerAnswer {
  readonly value?: unknown;
  readonly failure?: {
    /** An error that is already worded for people. */
    readonly known?: ConstructorParameters<typeof RopeEvalError>;
    readonly message?: string;
  };
}

/** The file descriptor on which a child shows that it is alive. */
export const PULSE = 4;
/** Milliseconds between two signs of life of a child. */
export const PULSE_MS = 1000;

/** The limits of a child, and the wording of its end. */
export interface WorkerOptions {
  /** Words the error when the child ends. */
  readonly died: (reason: string) => RopeEvalError;
  /** Seconds without a sign of life after which a child counts as stopped. Default 30. */
  readonly silence?: number;
  /** Seconds that one answer may take. Default 600. */
  readonly patience?: number;
  /** How many milliseconds a second of these limits lasts; for tests. */
  readonly secondMs?: number;
}

/** The children that are still running; they are killed when this process ends, however it ends. */
const alive = new Set<ChildProcess>();
function killAll(): void {
  for (const child of alive) child.kill('SIGKILL');
}

/**
 * A separate process that answers one request after another. It runs a module that calls `serve`.
 * While it computes, timers and signals keep working here, and if memory runs out, only the child
 * dies.
 *
 * A child that was stopped, or that does not answer in time, is killed. Time is counted in ticks of
 * this process, so neither a sleeping computer nor the suspension of a whole job kills anything.
 */
export class Worker {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #watch: NodeJS.Timeout;
  #pending: { resolve(answer: WorkerAnswer): void; reject(error: Error): void } | undefined;
  #dead: RopeEvalError | undefined;
  #silent = 0;
  #waited = 0;

  constructor(
    module: string,
    private readonly options: WorkerOptions,
  ) {
    const { silence = 30, patience = 600, secondMs = 1000 } = options;
    const child = fork(module, [], {
      serialization: 'advanced', // Keeps typed arrays as they are.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'],
    });
    this.#child = child;
    if (alive.size === 0) process.on('exit', killAll);
    alive.add(child);
    this.#exited = new Promise((resolve) => child.once('close', () => resolve()));
    child.on('message', (answer) => {
      this.#silent = 0;
      this.#take()?.resolve(answer as WorkerAnswer);
    });
    (child.stdio[PULSE] as Readable).on('data', () => (this.#silent = 0));
    child.on('error', (error) => this.#fail(error.message));
    child.on('exit', (code, signal) => {
      this.#forget();
      this.#fail(signal ? `it was killed (${signal})` : `it ended with code ${code}`);
    });
    this.#watch = setInterval(() => {
      if (++this.#silent > silence) this.#kill(`it gave no sign of life for ${silence} s`);
      else if (this.#pending && ++this.#waited > patience)
        this.#kill(`it gave no answer for ${patience} s`);
    }, secondMs);
    this.#watch.unref();
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws RopeEvalError the child's own, or one that says how the child ended
   */
  async ask(request: unknown): Promise<unknown> {
    const { value, failure } = await new Promise<WorkerAnswer>((resolve, reject) => {
      if (this.#dead) return reject(this.#dead);
      if (this.#pending) return reject(new Error('a worker answers one request at a time'));
      this.#pending = { resolve, reject };
      this.#waited = 0;
      this.#child.send(request as object, (error) => error && this.#fail(error.message));
    });
    if (failure?.known) throw new RopeEvalError(...failure.known);
    if (failure) throw this.options.died(failure.message ?? 'unknown reason');
    return value;
  }

  /** Kills the child, which holds nothing that must be saved, and waits until it is gone. */
  async close(): Promise<void> {
    this.#kill('it was closed');
    await this.#exited;
  }

  #kill(reason: string): void {
    this.#fail(reason);
    this.#child.kill('SIGKILL'); // A stopped process reacts to no other signal.
  }

  #fail(reason: string): void {
    clearInterval(this.#watch);
    this.#dead ??= this.options.died(reason);
    this.#take()?.reject(this.#dead);
  }

  #forget(): void {
    alive.delete(this.#child);
    if (alive.size === 0) process.off('exit', killAll);
  }

  #take() {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}

/**
 * Shows that the process is alive while its event loop is blocked, and ends it if nobody listens
 * any more. It runs in a separate thread, from a string because it imports nothing.
 */
const PULSE_CODE = `
const { writeSync } = require('node:fs');
setInterval(() => {
  try {
    writeSync(${PULSE}, '.');
  } catch (error) {
    if (error.code === 'EPIPE') process.kill(process.pid, 'SIGKILL');
  }
}, ${PULSE_MS});
`;

/**
 * Runs the child's side of a `Worker`.
 *
 * @param open receives the first request and answers it; its `answer` receives the others, in order
 */
export function serve<First, Request>(
  open: (first: First) => Promise<{
    readonly value: unknown;
    readonly answer: (request: Request) => Promise<unknown>;
  }>,
): void {
  // Ctrl-C and a CI system's SIGTERM reach the whole process group, but the parent decides when to
  // stop. If the parent is gone, the channel closes and this process ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit());
  new Thread(PULSE_CODE, { eval: true }).unref();
  process.once('message', (first: First) => {
    open(first).then(
      ({ value, answer }) => {
        process.on('message', (request: Request) => {
          answer(request).then(
            (value) => reply({ value }),
            (error: unknown) => reply(failure(error)),
          );
        });
        reply({ value });
      },
      (error: unknown) => reply(failure(error)),
    );
  });
}

function reply(answer: WorkerAnswer): void {
  process.send?.(answer);
}

function failure(error: unknown): WorkerAnswer {
  if (error instanceof RopeEvalError) return { failure: { known: [error.kind, error.details] } };
  return { failure: { message: messageOf(error) } };
}
