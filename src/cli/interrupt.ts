import type { Environment } from './environment.js';
import { EXIT } from '../errors.js';

/** The user ended the run and there was nothing to save. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

export interface Interruptible {
  readonly signal: AbortSignal;
  readonly dispose: () => void;
}

/** The first Ctrl-C asks the run to end, which saves what is finished; the second ends at once. */
export function interruptible(environment: Environment, onFirst: () => void): Interruptible {
  const controller = new AbortController();
  const dispose = environment.onInterrupt(() => {
    if (controller.signal.aborted) {
      environment.kill(EXIT.interrupted);
      return;
    }
    onFirst();
    controller.abort();
  });
  return { signal: controller.signal, dispose };
}
