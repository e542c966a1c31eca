import { RopeEvalError } from '../../errors.js';
import type { Batch, EngineRequest } from './engine.js';
import { openSession } from './session.js';

/**
 * The engine's own process. ONNX Runtime blocks the event loop while it runs, and where memory
 * ends it takes its process along: here neither touches the command line.
 *
 * Messages: the EngineRequest, then a Batch at a time; answers `Answer`, in order.
 */
export interface Answer {
  readonly info?: object;
  readonly scores?: object;
  readonly failure?: {
    readonly known?: ConstructorParameters<typeof RopeEvalError>;
    readonly message?: string;
  };
}

function failure(error: unknown): Answer {
  if (error instanceof RopeEvalError)
    return {
      failure: { known: [error.message, error.exitCode, error.kind, error.path, error.hint] },
    };
  return { failure: { message: error instanceof Error ? error.message : String(error) } };
}

function answer(value: Answer): void {
  process.send?.(value);
}

// Ctrl-C, and a CI system's SIGTERM, reach the whole process group; when to stop is the parent's
// decision. Where the parent is gone, the channel closes and this process ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit());

process.once('message', (request: EngineRequest) => {
  openSession(request).then(
    (engine) => {
      process.on('message', (batch: Batch) => {
        engine.run(batch).then(
          (scores) => answer({ scores }),
          (error: unknown) => answer(failure(error)),
        );
      });
      answer({ info: engine.info });
    },
    (error: unknown) => answer(failure(error)),
  );
});
