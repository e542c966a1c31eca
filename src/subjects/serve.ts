import { Worker as Thread } from 'node:worker_threads';
import process from 'node:process';
import { RopeEvalError } from '../errors.js';
import { PULSE, PULSE_MS, type WorkerAnswer } from './worker.js';

/**
 * Shows that the process is alive while its event loop is blocked, and ends it where nobody listens
 * any more. A thread of its own, in plain text because it imports nothing.
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
 * The child's side of a `Worker`.
 *
 * @param open is given the first request and answers it; its `answer` is given the others, in order
 */
export function serve<First, Request>(
  open: (first: First) => Promise<{
    readonly value: unknown;
    readonly answer: (request: Request) => Promise<unknown>;
  }>,
): void {
  // Ctrl-C, and a CI system's SIGTERM, reach the whole process group; when to stop is the parent's
  // decision. Where the parent is gone, the channel closes and this process ends.
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
  if (error instanceof RopeEvalError)
    return {
      failure: { known: [error.kind, error.details] },
    };
  return { failure: { message: error instanceof Error ? error.message : String(error) } };
}
