import type { EvaluateOptions } from '../evaluate-types.js';
import type { Report } from '../report/schema.js';
import type { Environment } from './environment.js';
import { interruptible, InterruptedError } from './interrupt.js';
import type { LoadedConfig } from './load-config.js';

export interface RunSettings {
  /** Show a spinner, where the terminal allows one. */
  readonly progress: boolean;
  /** Say on stderr that Ctrl-C was understood. */
  readonly notices: boolean;
}

/**
 * Runs the probes with progress and Ctrl-C. An interrupted run gives a report with the finished
 * cells and the status `interrupted`.
 *
 * @throws InterruptedError where Ctrl-C came before anything could be reported
 */
export async function runEvaluation(
  environment: Environment,
  config: LoadedConfig,
  options: EvaluateOptions,
  settings: RunSettings,
): Promise<Report> {
  const [{ progressDisplay }, evaluate] = await Promise.all([
    import('./progress.js'),
    environment.loadEvaluate(),
  ]);
  const display = progressDisplay(environment, settings.progress);
  const stop = interruptible(environment, () => {
    display.stop();
    if (settings.notices) {
      environment.stderr.write('stopping; the finished part is kept (Ctrl-C again ends at once)\n');
    }
  });
  try {
    return await evaluate(config.text, {
      ...options,
      source: config.source,
      signal: stop.signal,
      onProgress: (progress) => {
        if (!stop.signal.aborted) display.update(progress);
      },
    });
  } catch (error) {
    if (stop.signal.aborted) throw new InterruptedError('interrupted; nothing was finished yet');
    throw error;
  } finally {
    display.stop();
    stop.dispose();
  }
}
