import { fileURLToPath } from 'node:url';
import { option, RopeEvalError, words } from '../../errors.js';
import { Worker } from '../worker.js';
import {
  DecoderSession,
  type DecoderInfo,
  type DecoderRequest,
  type DecoderRun,
  type DecoderScores,
} from './session.js';

/** A decoder, wherever it runs. */
export interface Decoder {
  readonly info: DecoderInfo;
  run(run: DecoderRun): Promise<DecoderScores>;
  close(): Promise<void>;
}

/** Seconds that one context may take: a long one of a large model on a CPU takes many minutes. */
const PATIENCE = 7200;

function died(reason: string): RopeEvalError {
  return new RopeEvalError('engine_died', {
    problem: `the process that runs the model stopped: ${reason}`,
    hint: words`Out of memory is the usual cause: try a smaller ${option('target')}, or an export with fewer bits.`,
  });
}

/** Opens a decoder in a process of its own, or in this one. Errors as `DecoderSession.open`. */
export async function openDecoder(request: DecoderRequest, worker = true): Promise<Decoder> {
  if (!worker) return DecoderSession.open(request);
  const child = new Worker(fileURLToPath(new URL('./child.js', import.meta.url)), {
    died,
    patience: PATIENCE,
  });
  try {
    const info = (await child.ask(request)) as DecoderInfo;
    return {
      info,
      run: async (run) => (await child.ask(run)) as DecoderScores,
      close: () => child.close(),
    };
  } catch (error) {
    await child.close();
    throw error;
  }
}
