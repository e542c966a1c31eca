import { RopeEvalError } from './errors.js';
import { evaluateOn } from './evaluation/evaluate.js';
import { defaultThreads, setUp, type Setup } from './evaluation/setup.js';
import { isRecord, show } from './json/parse.js';
import type { ReadConfig } from './model/read-model.js';
import { checkOptions, EVALUATE_OPTIONS, type EvaluateOptions, type Progress } from './options.js';
import { PRESETS } from './probes/presets.js';
import type { NeighbourReport, ProbedReport, Report } from './report/schema/report.js';
import { chooseMember, loadFamily, neighboursOf } from './subjects/bundled/family.js';
import { bundledSubject } from './subjects/bundled/subject.js';
import type { Subject } from './subjects/subject.js';

/**
 * Compares candidate RoPE scalings for the model of a config.json. They are measured on a bundled
 * probe model, and with `options.model` also on the user's own weights, which the report is then
 * about. The thorough preset repeats the measurement on neighbouring probe models; how far they
 * disagree is the uncertainty of the probe.
 *
 * The same seed, thread count and machine give the same report except for `createdAt` and
 * `timings`.
 *
 * @param config text of a config.json, or the result of `readConfig`
 * @throws RopeEvalError exit 2 for a bad config or option, 3 if the runtime fails
 */
export async function evaluate(
  config: string | ReadConfig,
  options: EvaluateOptions = {},
): Promise<Report> {
  checkOptions(options, EVALUATE_OPTIONS);
  if (typeof config !== 'string' && !isRead(config))
    throw new RopeEvalError('usage', {
      path: 'config',
      problem: `must be the text of a config.json, found ${show(config)}`,
    });
  const setup = setUp(config, options);
  if (options.subject)
    return (await evaluateOn(setup, options, await options.subject(setup))).report;
  if (options.model) return evaluateBoth(setup, options, options.model);
  if (options.preset === 'thorough') return evaluateWithNeighbours(setup, options);
  return (await evaluateOn(setup, options, await bundledFor(setup, options)())).report;
}

function isRead(config: unknown): config is ReadConfig {
  return isRecord(config) && isRecord(config['raw']) && isRecord(config['model']);
}

/** The probe's share of the progress bar when the user's own weights are measured too. */
const PROBE_SHARE = 0.02;

/**
 * Runs the probe, which takes seconds, and then the user's own weights, which the report is about.
 */
async function evaluateBoth(
  setup: Setup,
  options: EvaluateOptions,
  model: NonNullable<EvaluateOptions['model']>,
): Promise<Report> {
  const started = performance.now();
  const { device = 'auto', threads = defaultThreads(), worker, onProgress } = options;
  const { onnxSubject } = await import('./subjects/onnx/subject.js');
  // The files are opened before the probe runs, so that an error in them is reported at once.
  const subject = await onnxSubject(setup, setup.model, { ...model, device, threads, worker });
  const share = (from: number, part: number): Pick<EvaluateOptions, 'onProgress'> =>
    onProgress
      ? {
          onProgress: ({ done, total, ...rest }) =>
            onProgress({ ...rest, done: Math.round(total * from + done * part), total }),
        }
      : {};
  const { resume: _, ...fresh } = options; // Saved work belongs to the user's own weights.
  const probed = await evaluateOn(
    setup,
    { ...fresh, ...share(0, PROBE_SHARE) },
    await bundledFor(setup, options)(),
  );
  const measured = await evaluateOn(
    setup,
    { ...options, ...share(PROBE_SHARE, 1 - PROBE_SHARE) },
    subject,
  );
  const { report } = measured;
  if (probed.report.status === 'complete')
    report.probed = { ...summariseNeighbour(probed.report), ...tiersOf(probed.report, report) };
  report.timings.totalMs = performance.now() - started;
  return report;
}

async function evaluateWithNeighbours(setup: Setup, options: EvaluateOptions): Promise<Report> {
  const started = performance.now();
  const names = await neighboursFor(setup);
  const progress = sharedProgress(names, options);
  const bundled = bundledFor(setup, options);
  const main = await evaluateOn(setup, { ...options, ...progress(0) }, await bundled());
  const report: Report = { ...main.report, otherProbeModels: [] };
  for (const [i, name] of names.entries()) {
    if (report.status !== 'complete') break;
    // Saved work belongs to the main run.
    const { resume, ...fresh } = options;
    const own = { ...fresh, preset: 'standard', ...progress(i + 1) } as const;
    const other = await evaluateOn(setup, own, await bundled(name));
    if (other.report.status === 'complete') {
      report.otherProbeModels!.push(summariseNeighbour(other.report));
      report.timings.tokens += other.report.timings.tokens;
      report.timings.engineMs += other.report.timings.engineMs;
    } else {
      report.status = other.report.status;
      delete report.perContext; // Only complete runs have it.
      report.unfinished = {
        reason: other.report.unfinished?.reason ?? other.report.status,
        jobs: main.finished(),
      };
    }
  }
  report.timings.totalMs = performance.now() - started;
  return report;
}

/**
 * Returns a function that opens a bundled probe model. Without a name, it opens the one whose
 * critical fraction is nearest to the model's.
 */
function bundledFor(
  setup: Setup,
  { device = 'auto', threads = defaultThreads(), worker, openEngine }: EvaluateOptions,
): (member?: string) => Promise<Subject> {
  return (member) => bundledSubject(setup, { member, device, threads, worker, openEngine });
}

/**
 * Names the probe models next to the one that a model is probed on, and those of the same geometry
 * with another seed.
 */
async function neighboursFor(setup: Setup): Promise<string[]> {
  const family = await loadFamily();
  const { member } = chooseMember(family, setup);
  return neighboursOf(family, member).map(({ name }) => name);
}

/**
 * The work of a neighbour relative to that of the main run. A neighbour runs with the standard
 * preset.
 */
const SHARE = PRESETS.standard.long / PRESETS.thorough.long;

/**
 * Combines the progress of all runs into one.
 *
 * @param names of the neighbours
 * @returns the options of run `i` (0: the main one)
 */
function sharedProgress(
  names: readonly string[],
  { onProgress, samples }: EvaluateOptions,
): (i: number) => Pick<EvaluateOptions, 'onProgress'> {
  const weights = [1, ...names.map(() => (samples === undefined ? SHARE : 1))];
  const before = (i: number): number => weights.slice(0, i).reduce((sum, w) => sum + w, 0);
  const all = before(weights.length);
  if (!onProgress) return () => ({});
  return (i) => ({
    onProgress: ({ done, total, label }: Progress) => {
      const own = total > 0 ? done / total : 0;
      onProgress({
        done: Math.round(total * (before(i) + own * weights[i]!)),
        total: Math.round(total * all),
        label: i === 0 ? label : `${names[i - 1]!}, ${label}`,
      });
    },
  });
}

/** Reduces a report to what readers compare between probe models. */
function summariseNeighbour(report: Report): NeighbourReport {
  if (report.subject.kind !== 'probe-model') throw new Error('only the probe has neighbours');
  const { name, criticalFraction, seed, weightsSha256, heldPairs = 0 } = report.subject;
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

/** Measures how far the probe model and the user's own weights agree about the same scalings. */
export function tiersOf(
  probed: Report,
  measured: Report,
): Pick<ProbedReport, 'rankCorrelation' | 'shortCostRatio'> {
  const pairs = measured.candidates
    .filter(({ role }) => role === 'candidate')
    .flatMap((own) => {
      const other = probed.candidates.find(({ label }) => label === own.label);
      return other ? [{ own, other }] : [];
    });
  const cells = pairs.flatMap(({ own, other }) =>
    own.needle.flatMap(({ multiple, lossChange }) => {
      const same = other.needle.find((rung) => Math.abs(rung.multiple - multiple) < 1e-9);
      return same ? [[same.lossChange.value, lossChange.value] as const] : [];
    }),
  );
  const costs = pairs.flatMap(({ own, other }) =>
    own.short && other.short
      ? [[other.short.lossChange.value, own.short.lossChange.value] as const]
      : [],
  );
  return { rankCorrelation: spearman(cells), shortCostRatio: slope(costs) };
}

type Pair = readonly [probed: number, measured: number];

/**
 * Computes Spearman's rank correlation; ties share their mean rank. null: fewer than three pairs,
 * or no spread.
 */
export function spearman(pairs: readonly Pair[]): number | null {
  if (pairs.length < 3) return null;
  const [a, b] = [ranks(pairs.map(([x]) => x)), ranks(pairs.map(([, y]) => y))];
  const mean = (pairs.length + 1) / 2;
  const sum = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((total, value, i) => total + (value - mean) * (y[i]! - mean), 0);
  const spread = Math.sqrt(sum(a, a) * sum(b, b));
  return spread === 0 ? null : sum(a, b) / spread;
}

function ranks(values: readonly number[]): number[] {
  return values.map(
    (value) =>
      values.filter((other) => other < value).length +
      (values.filter((other) => other === value).length + 1) / 2,
  );
}

/**
 * Fits the factor from the probe's costs to the measured ones by least squares; null if the probe
 * sees no costs.
 */
function slope(pairs: readonly Pair[]): number | null {
  const square = pairs.reduce((sum, [x]) => sum + x * x, 0);
  if (square < 1e-6) return null;
  return pairs.reduce((sum, [x, y]) => sum + x * y, 0) / square;
}
