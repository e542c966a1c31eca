import { checkOptions, EVALUATE_OPTIONS } from './check-options.js';
import { show } from './config/fail.js';
import { RopeEvalError } from './errors.js';
import type { EvaluateOptions } from './evaluate-types.js';
import { evaluateOn } from './evaluation/evaluate-on.js';
import { neighbourRuns, summariseNeighbour } from './evaluation/neighbours.js';
import type { Report } from './report/schema.js';

/**
 * Compares candidate RoPE scalings for the model of a config.json on a bundled probe model; in the
 * thorough preset on its neighbours too, and what they say otherwise is the probe's uncertainty.
 *
 * One seed, one thread count, one machine: the same report but for `createdAt` and `timings`.
 *
 * @param text a config.json
 * @throws RopeEvalError exit 2 for a bad config or option, 3 where the runtime fails
 */
export async function evaluate(text: string, options: EvaluateOptions = {}): Promise<Report> {
  checkOptions(options, EVALUATE_OPTIONS);
  if (typeof text !== 'string')
    throw new RopeEvalError(`config: must be the text of a config.json, found ${show(text)}`);
  if (options.preset !== 'thorough') return (await evaluateOn(text, options)).report;
  const started = performance.now();
  const { names, share, during } = await neighbourRuns(text, options);
  const main = await evaluateOn(text, { ...options, ...during(0) });
  const report: Report = { ...main.report, otherProbeModels: [] };
  for (const [i, name] of names.entries()) {
    if (report.status !== 'complete') break;
    const other = await evaluateOn(text, { ...options, ...share, ...during(i + 1) }, name);
    if (other.report.status === 'complete') {
      report.otherProbeModels!.push(summariseNeighbour(other.report));
      report.timings.tokens += other.report.timings.tokens;
      report.timings.engineMs += other.report.timings.engineMs;
    } else {
      report.status = other.report.status;
      delete report.perContext; // of complete runs only
      report.unfinished = {
        reason: other.report.unfinished?.reason ?? other.report.status,
        jobs: main.finished(),
      };
    }
  }
  report.timings.totalMs = performance.now() - started;
  return report;
}
