import type { Engine } from '../engine/index.js';
import { RopeEvalError } from '../errors.js';
import type { EvaluateOptions } from '../evaluate-types.js';
import type { JobList } from './jobs.js';

/**
 * Runs the jobs, and what is asked for on seeing their results.
 *
 * @param steps `begin` may take finished work over; `ask` adds jobs, or says that nothing is left
 * @returns why it was stopped before the end; undefined: it was not
 */
export async function work(
  jobs: JobList,
  engine: Engine,
  { onProgress, signal }: Pick<EvaluateOptions, 'onProgress' | 'signal'>,
  { begin, ask }: { begin(): void; ask(): boolean },
): Promise<string | undefined> {
  try {
    begin();
    do {
      const total = jobs.totalTokens;
      const report = (done: number, label: string) => onProgress?.({ done, total, label });
      if (!(await jobs.run(engine, report, signal))) return 'interrupted';
    } while (ask());
    return undefined;
  } catch (error) {
    // What was finished is worth keeping: the report says that the rest failed.
    if (!(error instanceof RopeEvalError && error.kind === 'engine_died')) throw error;
    // After Ctrl-C the engine may well have got the signal too.
    return signal?.aborted ? 'interrupted' : error.message;
  } finally {
    await engine.close();
  }
}
