import { z } from 'zod';
import type { ReadonlyDeep } from '../json/parse.js';
import type { Reference } from '../model/types.js';
import { type CandidateReport, type Report, ReportSchema } from '../report/schema/report.js';
import { judge } from './cells.js';
import { judgeReport } from './judge.js';
import { METRICS } from './metrics.js';
import type { Policy } from './policy.js';

/** Version of `--optimize --json`. It rises whenever that of the report does, see docs/json.md. */
export const OPTIMIZE_SCHEMA_VERSION = '2.0';

const TrialSchema = z.strictObject({
  candidate: z.string(),
  scaling: z.string(),
  factor: z.number(),
  lossChange: z.number().nullable().describe('Nats, at 0.5x and 1x of the trained window.'),
  accuracyChange: z.number().nullable(),
  needleAtTarget: z.number().nullable().describe('Relative to the reference at 1x.'),
  reach: z.number().nullable().describe('Tokens.'),
  reachCensored: z.boolean(),
  passes: z.boolean(),
  outcome: z.enum(['passed', 'failed', 'unverifiable']),
});

/** What `--optimize --json` prints. */
export const OptimizationSchema = z.strictObject({
  schemaVersion: z.literal(OPTIMIZE_SCHEMA_VERSION),
  target: z.number().describe('Tokens.'),
  policy: z.string().describe('Path of the policy, or `default`.'),
  best: TrialSchema.nullable(),
  trials: z.array(TrialSchema),
  perLength: z.array(
    z.strictObject({
      upTo: z.number().describe('Tokens.'),
      candidate: z.string().nullable().describe('null: nothing holds at this length.'),
    }),
  ),
  report: ReportSchema,
});

/** The scalings that a search tries at each factor: those whose shorthand takes only a factor. */
const SEARCHED_SCALINGS = Object.freeze(['yarn', 'dynamic', 'ntk', 'linear'] as const);

export interface OptimizeOptions {
  /** Tokens. */
  readonly target: number;
  /** Tokens. */
  readonly trainedWindow: number;
  /** Whether the weights were trained with the scaling that the config has. */
  readonly reference: Reference['kind'];
  /** Judges each trial at its length. The policy's candidates and target are ignored. */
  readonly policy: Policy;
  readonly scalings?: readonly string[];
  /** Runs one evaluation. Labels are shorthands such as `yarn:4`; lengths are tokens. */
  readonly evaluate: (
    labels: readonly string[],
    target: number,
    lengths: readonly number[],
  ) => Promise<Report>;
  readonly kvCacheGiB: (tokens: number) => number | undefined;
}

/**
 * The result of a factor search: the best trial, all of them by factor and scaling, and the setting
 * for requests up to each length, for a server that can switch scalings.
 */
export type Optimization = Pick<
  ReadonlyDeep<z.infer<typeof OptimizationSchema>>,
  'target' | 'best' | 'trials' | 'perLength'
>;

/** One scaling at one factor, measured up to the target. */
export type Trial = Optimization['trials'][number];

/**
 * Searches for the smallest factor and the best scaling that pass the policy at the target.
 *
 * A static scaling may reach less than its nominal factor, so the search also tries factors above
 * target / trained window. One evaluation covers all of them: the trials share their contexts and
 * are paired.
 */
export async function optimize(options: OptimizeOptions): Promise<Optimization> {
  const { target, trainedWindow, scalings = SEARCHED_SCALINGS } = options;
  const lengths = lengthsUpTo(trainedWindow, target);
  const factors = factorsFor(trainedWindow, lengths);
  const labels = factors.flatMap((factor) => scalings.map((scaling) => labelOf(scaling, factor)));
  const report = await options.evaluate(labels, target, lengths);
  const trials = factors.flatMap((factor) =>
    scalings.flatMap((scaling) => trialOf(report, scaling, factor, options)),
  );
  return {
    target,
    best: bestOf(trials),
    trials,
    perLength: lengths.map((upTo) => settingFor(upTo, report, trials, options)),
  };
}

function labelOf(scaling: string, factor: number): string {
  return `${scaling}:${factor}`;
}

/**
 * The factors to try: the one that each length needs, then 1.5 and 2 times the largest. They are
 * rounded up to quarters, so that labels look like the factors that people write in configs.
 */
function factorsFor(window: number, lengths: readonly number[]): readonly number[] {
  const needed = lengths.map((length) => length / window);
  const most = Math.max(...needed);
  const factors = [...needed, most * 1.5, most * 2].map((factor) => Math.ceil(factor * 4) / 4);
  return [...new Set(factors)].filter((factor) => factor > 1).sort((a, b) => a - b);
}

/** The trained window, doubled up to the target: lengths between which a server would switch. */
function lengthsUpTo(window: number, target: number): readonly number[] {
  const lengths: number[] = [];
  for (let length = window; length < target; length *= 2) lengths.push(length);
  return [...lengths, target];
}

function trialOf(
  report: Report,
  scaling: string,
  factor: number,
  options: OptimizeOptions,
): Trial[] {
  const label = labelOf(scaling, factor);
  const candidate = report.candidates.find((each) => each.label === label);
  if (!candidate) return [];
  const result = judgeAt(report, label, options);
  const { kvCacheGiB } = options;
  const [needle] = METRICS.needle.measure({ report, candidate, at: options.target, kvCacheGiB });
  return [
    {
      candidate: label,
      scaling,
      factor,
      lossChange: candidate.short?.lossChange.value ?? null,
      accuracyChange: candidate.short?.accuracyChange.value ?? null,
      needleAtTarget: needle?.interval.value ?? null,
      reach: candidate.reach?.tokens ?? null,
      reachCensored: candidate.reach?.censored ?? false,
      passes: result === 'passed',
      outcome: result,
    },
  ];
}

function judgeAt(report: Report, label: string, options: OptimizeOptions): Trial['outcome'] {
  const { status } = judgeReport({
    // Findings are about the config itself and not about this candidate.
    report: { ...report, findings: [] },
    policy: { ...options.policy, candidates: [label] },
    candidates: [label],
    kvCacheGiB: options.kvCacheGiB,
  });
  if (status === 'passed' || status === 'failed') return status;
  return 'unverifiable';
}

/** The passing trial with the smallest factor; of several, the cheapest at short lengths. */
export function bestOf(trials: readonly Trial[]): Trial | null {
  const passing = trials.filter((trial) => trial.passes);
  const cost = (trial: Trial): number => trial.lossChange ?? Number.POSITIVE_INFINITY;
  return [...passing].sort((a, b) => a.factor - b.factor || cost(a) - cost(b))[0] ?? null;
}

/** The smallest factor that holds at this length by the needle rule; of several, the best. */
function settingFor(
  upTo: number,
  report: Report,
  trials: readonly Trial[],
  options: OptimizeOptions,
): Optimization['perLength'][number] {
  if (upTo <= options.trainedWindow) {
    // The shorthand `none` would remove the scaling that the weights were trained with.
    return { upTo, candidate: options.reference === 'configured' ? 'as-configured' : 'none' };
  }
  const holding = trials.flatMap((trial) => {
    const candidate = report.candidates.find((each) => each.label === trial.candidate);
    const accuracy = candidate && accuracyWhereItHolds(upTo, candidate, report, options.policy);
    return accuracy === undefined ? [] : [{ ...trial, accuracy }];
  });
  const [best] = holding.sort((a, b) => a.factor - b.factor || b.accuracy - a.accuracy);
  return { upTo, candidate: best?.candidate ?? null };
}

/** Judges by the needle alone, because a per-request setting has no short requests to hurt. */
function accuracyWhereItHolds(
  at: number,
  candidate: CandidateReport,
  report: Report,
  policy: Policy,
): number | undefined {
  const rule = policy.rules.find(({ metric, level }) => metric === 'needle' && level === 'error');
  const threshold = typeof rule?.threshold === 'number' ? rule.threshold : DEFAULT_NEEDLE;
  const source = { report, candidate, at, kvCacheGiB: () => undefined };
  const [reading] = METRICS.needle.measure(source);
  if (!reading || judge(reading.interval, '>=', threshold) !== 'pass') return undefined;
  return reading.interval.value;
}

/** The threshold of the default policy. */
const DEFAULT_NEEDLE = 0.8;
