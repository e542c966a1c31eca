import { RopeEvalError } from './errors.js';
import { defaultThreads } from './evaluation/conditions.js';
import { evaluateOn } from './evaluation/evaluate.js';
import { setUp, type Setup } from './evaluation/setup.js';
import { show } from './json/bounds.js';
import { isRecord } from './json/parse.js';
import type { ReadConfig } from './model/read-model.js';
import { checkOptions, EVALUATE_OPTIONS, type EvaluateOptions, type Progress } from './options.js';
import { PRESETS } from './probes/presets.js';
import type { NeighbourReport, ProbedReport, Report } from './report/schema/report.js';
import { chooseMember, loadFamily, neighboursOf } from './subjects/bundled/family.js';
import { bundledSubject } from './subjects/bundled/subject.js';
import { isProbe } from './subjects/schema.js';
import type { Subject } from './subjects/subject.js';

/**
 * Compares candidate RoPE scalings for the model of a config.json on a bundled probe model; in the
 * thorough preset on its neighbours too, and what they say otherwise is the probe's uncertainty.
 *
 * One seed, one thread count, one machine: the same report but for `createdAt` and `timings`.
 *
 * @param config text of a config.json, or what `readConfig` made of it
 * @throws RopeEvalError exit 2 for a bad config or option, 3 where the runtime fails
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

/** Share of the work that the probe is, beside a model of the user's. */
const PROBE_SHARE = 0.02;

/** The probe first, which takes seconds, then the user's own weights, which the report is about. */
async function evaluateBoth(
  setup: Setup,
  options: EvaluateOptions,
  model: NonNullable<EvaluateOptions['model']>,
): Promise<Report> {
  const started = performance.now();
  const { device = 'auto', threads = defaultThreads(), worker, onProgress } = options;
  const { onnxSubject } = await import('./subjects/onnx/subject.js');
  // Before the probe runs: what is wrong with the files is said at once.
  const subject = await onnxSubject(setup, setup.model, { ...model, device, threads, worker });
  const share = (from: number, part: number): Pick<EvaluateOptions, 'onProgress'> =>
    onProgress
      ? {
          onProgress: ({ done, total, ...rest }) =>
            onProgress({ ...rest, done: Math.round(total * from + done * part), total }),
        }
      : {};
  const { resume: _, ...fresh } = options; // saved work is that of the user's own weights
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
    // Saved work is the main run's.
    const { resume, ...fresh } = options;
    const own = { ...fresh, preset: 'standard', ...progress(i + 1) } as const;
    const other = await evaluateOn(setup, own, await bundled(name));
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

/** The bundled probe models; without a name, the one whose critical fraction is nearest. */
function bundledFor(
  setup: Setup,
  { device = 'auto', threads = defaultThreads(), worker, openEngine }: EvaluateOptions,
): (member?: string) => Promise<Subject> {
  return (member) => bundledSubject(setup, { member, device, threads, worker, openEngine });
}

/** The members next to the one that a model is probed on, and other seeds of its geometry. */
async function neighboursFor(setup: Setup): Promise<string[]> {
  const family = await loadFamily();
  const { member } = chooseMember(family, setup);
  return neighboursOf(family, member).map(({ name }) => name);
}

/** A neighbour's part of the work, in parts of the main run's: it has the standard contexts. */
const SHARE = PRESETS.standard.long / PRESETS.thorough.long;

/**
 * One progress of all runs.
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

/** What a reader compares between probe models. */
function summariseNeighbour(report: Report): NeighbourReport {
  if (!isProbe(report.subject)) throw new Error('only the probe has neighbours');
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

/** How far the probe model and the user's own weights agree about the same scalings. */
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

/** Spearman's rank correlation; ties share their mean rank. null: fewer than three pairs. */
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

/** Least-squares factor from the probe's costs to the measured ones; null where it sees none. */
function slope(pairs: readonly Pair[]): number | null {
  const square = pairs.reduce((sum, [x]) => sum + x * x, 0);
  if (square < 1e-6) return null;
  return pairs.reduce((sum, [x, y]) => sum + x * y, 0) / square;
}
