import { RopeEvalError } from './errors.js';
import { evaluateOn } from './evaluation/on-subject.js';
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

/** Runs the probe, which takes seconds, and then the user's own weights. */
async function evaluateBoth(
  setup: Setup,
  options: EvaluateOptions,
  model: NonNullable<EvaluateOptions['model']>,
): Promise<Report> {
  const started = performance.now();
  const { device = 'auto', threads = defaultThreads(), worker } = options;
  const { onnxSubject } = await import('./subjects/onnx/subject.js');
  // The files are opened before the probe runs, so that an error in them is reported at once.
  const subject = await onnxSubject(setup, setup.model, { ...model, device, threads, worker });
  const { resume: _, ...fresh } = options; // Saved work belongs to the user's own weights.
  const first = { from: 0, part: PROBE_SHARE, of: 1 };
  const probed = await evaluateOn(
    setup,
    { ...fresh, ...partOf(options, first) },
    await bundledFor(setup, options)(),
  );
  const rest = { from: PROBE_SHARE, part: 1 - PROBE_SHARE, of: 1 };
  const measured = await evaluateOn(setup, { ...options, ...partOf(options, rest) }, subject);
  const { report } = measured;
  if (probed.report.status === 'complete')
    report.probed = { ...summariseNeighbour(probed.report), ...tiersOf(probed.report, report) };
  report.timings.totalMs = performance.now() - started;
  return report;
}

async function evaluateWithNeighbours(setup: Setup, options: EvaluateOptions): Promise<Report> {
  const started = performance.now();
  const family = await loadFamily();
  const { member } = chooseMember(family, setup);
  const names = neighboursOf(family, member).map(({ name }) => name);
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

/** Opens a bundled probe model; without a name, the one nearest in critical fraction. */
function bundledFor(
  setup: Setup,
  { device = 'auto', threads = defaultThreads(), worker, openEngine }: EvaluateOptions,
): (member?: string) => Promise<Subject> {
  return (member) => bundledSubject(setup, { member, device, threads, worker, openEngine });
}

/** The work of a neighbour, which runs with the standard preset, relative to the main run. */
const SHARE = PRESETS.standard.long / PRESETS.thorough.long;

/**
 * Combines the progress of all runs into one.
 *
 * @param names of the neighbours
 * @returns the options of run `i` (0: the main one)
 */
function sharedProgress(
  names: readonly string[],
  options: EvaluateOptions,
): (i: number) => Pick<EvaluateOptions, 'onProgress'> {
  const share = options.samples === undefined ? SHARE : 1;
  const of = 1 + share * names.length;
  return (i) =>
    i === 0
      ? partOf(options, { from: 0, part: 1, of })
      : partOf(options, { from: 1 + share * (i - 1), part: share, of }, `${names[i - 1]!}, `);
}

/**
 * Reports the progress of one run as a part of all of them.
 *
 * @param stretch where the run begins (`from`), how much it is (`part`) and all runs together (`of`),
 *   in units of the work that it reports itself
 */
function partOf(
  { onProgress }: EvaluateOptions,
  stretch: { readonly from: number; readonly part: number; readonly of: number },
  who = '',
): Pick<EvaluateOptions, 'onProgress'> {
  if (!onProgress) return {};
  const { from, part, of } = stretch;
  return {
    onProgress: ({ done, total, label }: Progress) =>
      onProgress({
        done: Math.round(total * from + done * part),
        total: Math.round(total * of),
        label: `${who}${label}`,
      }),
  };
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

/** Spearman's rank correlation; null: fewer than three pairs, or no spread. */
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

/** The factor from the probe's costs to the measured ones, by least squares; null: no costs. */
function slope(pairs: readonly Pair[]): number | null {
  const square = pairs.reduce((sum, [x]) => sum + x * x, 0);
  if (square < 1e-6) return null;
  return pairs.reduce((sum, [x, y]) => sum + x * y, 0) / square;
}
