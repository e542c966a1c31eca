import type { EvaluateOptions } from '../evaluate-types.js';
import type { Report } from '../report/schema.js';
import type { Environment } from './environment.js';
import type { LoadedConfig } from './load-config.js';
import { watched, type WatchSettings } from './watched.js';

/**
 * Runs the probes with progress and Ctrl-C. An interrupted run gives a report with the finished
 * cells and the status `interrupted`.
 *
 * @throws InterruptedError where Ctrl-C came before anything could be reported
 */
export function runEvaluation(
  environment: Environment,
  config: LoadedConfig,
  options: EvaluateOptions,
  settings: WatchSettings,
): Promise<Report> {
  return watched(
    environment,
    settings,
    () => environment.loadEvaluate(),
    (evaluate, watch) => evaluate(config.text, { ...options, source: config.source, ...watch }),
  );
}
