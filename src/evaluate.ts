import { RopeEvalError } from './errors.js';
import { evaluateOn } from './evaluation/run.js';
import { referenceGeometry, setUp } from './evaluation/setup.js';
import { show } from './json/fail.js';
import { checkOptions, EVALUATE_OPTIONS, type EvaluateOptions, type Progress } from './options.js';
import { PRESETS } from './probes/presets.js';
import type { NeighbourReport, Report } from './report/schema/report.js';
import { chooseMember, loadFamily, neighboursOf } from './subjects/bundled/index.js';

/** A neighbour's part of the work, in parts of the main run's: it has the standard contexts. */
const SHARE = PRESETS.standard.long / PRESETS.thorough.long;

export interface NeighbourRuns {
  /** Members to be run after the nearest one. */
  readonly names: readonly string[];
  /** What is other in their runs. */
  readonly share: Pick<EvaluateOptions, 'preset' | 'resume'>;
  /** Options of run `i` (0: the main one) that make one progress of all. */
  during(i: number): Pick<EvaluateOptions, 'onProgress'>;
}

/** The members next to the one that the config is probed on, and other seeds of its geometry. */
export async function neighbourRuns(
  text: string,
  options: EvaluateOptions,
): Promise<NeighbourRuns> {
  const family = await loadFamily();
  const { member } = chooseMember(family, referenceGeometry(setUp(text, options)));
  const names = neighboursOf(family, member).map(({ name }) => name);
  const weights = [1, ...names.map(() => (options.samples === undefined ? SHARE : 1))];
  const { onProgress } = options;
  const before = (i: number): number => weights.slice(0, i).reduce((sum, w) => sum + w, 0);
  const all = before(weights.length);
  return {
    names,
    share: { preset: 'standard', resume: undefined }, // saved work is the main run's
    during: (i) =>
      onProgress
        ? {
            onProgress: ({ done, total, label }: Progress) => {
              const own = total > 0 ? done / total : 0;
              onProgress({
                done: Math.round(total * (before(i) + own * weights[i]!)),
                total: Math.round(total * all),
                label: i === 0 ? label : `${names[i - 1]!}, ${label}`,
              });
            },
          }
        : {},
  };
}

/** What a reader compares between probe models. */
export function summariseNeighbour(report: Report): NeighbourReport {
  const { name, criticalFraction, seed, weightsSha256, heldPairs = 0 } = report.probeModel;
  return {
    probeModel: { name, criticalFraction, seed, weightsSha256, heldPairs },
    recommended: report.recommendation.candidate,
    candidates: report.candidates.map(({ label, role, short, needle, reach, score, verdict }) => ({
      label,
      role,
      shortLossChange: short?.lossChange ?? null,
      needleAtTarget: needle.find((n) => n.multiple === report.target.multiple)?.accuracy ?? null,
      reach,
      score,
      verdict,
    })),
  };
}

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
