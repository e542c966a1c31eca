import { parentPort, workerData } from 'node:worker_threads';
import { RopeEvalError } from '../errors.js';
import { openSession } from './session.js';
import type { Batch, EngineRequest } from './types.js';

/**
 * ONNX Runtime blocks the event loop while it runs; here it blocks a thread that has nothing
 * else to do. Messages: a Batch in, Scores out, in order.
 */
const port = parentPort!;

function failure(error: unknown): object {
  if (error instanceof RopeEvalError)
    return {
      known: [error.message, error.exitCode, error.kind, error.path, error.hint],
    };
  return { message: error instanceof Error ? error.message : String(error) };
}

try {
  const engine = await openSession(workerData as EngineRequest);
  port.on('message', (batch: Batch) => {
    engine.run(batch).then(
      (scores) => port.postMessage({ scores }),
      (error: unknown) => port.postMessage({ failure: failure(error) }),
    );
  });
  port.postMessage({ info: engine.info });
} catch (error) {
  port.postMessage({ failure: failure(error) });
}
