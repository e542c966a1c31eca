import { z } from 'zod';
import type { Reference } from '../model/types.js';
import { type CandidateReport, type Report, ReportSchema } from '../report/schema/report.js';
import { judge } from './interval.js';
import { judgeReport } from './judge.js';
import { METRICS } from './metrics.js';
import type { Policy } from './policy.js';

/** Of `--optimize --json`; rises as the report's schema does, see docs/json.md. */
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

/** Scalings that a search tries at each factor; all that a shorthand can name with a factor. */
const SEARCHED_SCALINGS = Object.freeze(['yarn', 'dynamic', 'ntk', 'linear'] as const);

export interface OptimizeOptions {
  /** Tokens. */
  readonly target: number;
  /** Tokens. */
  readonly trainedWindow: number;
  /** Whether the weights were trained with the scaling that the config has. */
  readonly reference: Reference['kind'];
  /** Judges each trial at its length. Its candidates and target are not used. */
  readonly policy: Policy;
  readonly scalings?: readonly string[];
  /** Runs one evaluation; labels are shorthands such as `yarn:4`, lengths tokens of the needle. */
  readonly evaluate: (
    labels: readonly string[],
    target: number,
    lengths: readonly number[],
  ) => Promise<Report>;
  readonly kvCacheGiB: (tokens: number) => number | undefined;
}

/** One scaling at one factor, measured up to the target. */
export interface Trial {
  readonly candidate: string;
  readonly scaling: string;
  readonly factor: number;
  readonly lossChange: number | null;
  readonly accuracyChange: number | null;
  /** Needle accuracy at the target, relative to the reference at 1x. */
  readonly needleAtTarget: number | null;
  /** Tokens. */
  readonly reach: number | null;
  readonly reachCensored: boolean;
  readonly passes: boolean;
  readonly outcome: 'passed' | 'failed' | 'unverifiable';
}

/** What a server that can switch should run for requests up to a length. */
export interface LengthSetting {
  /** Tokens. */
  readonly upTo: number;
  /** `none`, `as-configured` where that is what was trained, a shorthand, or null: nothing passes. */
  readonly candidate: string | null;
}

export interface Optimization {
  readonly target: number;
  /** Smallest factor that passes; among scalings of that factor, the cheapest at short lengths. */
  readonly best: Trial | null;
  /** By factor, then by scaling. */
  readonly trials: readonly Trial[];
  readonly perLength: readonly LengthSetting[];
}

/**
 * Smallest factor and best scaling that pass the policy at the target.
 *
 * A static scaling may reach less than its nominal factor, so factors above the one that the
 * target asks for are tried too. One evaluation covers all of them: the trials share their
 * contexts and are paired.
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
 * The factor that each length asks for, then half as much again and twice as much as the target
 * asks for. Rounded up to quarters, so that the labels read like what people write into configs.
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
  const needle = candidate.needle.find((rung) => Math.abs(rung.tokens - options.target) <= 1);
  return [
    {
      candidate: label,
      scaling,
      factor,
      lossChange: candidate.short?.lossChange.value ?? null,
      accuracyChange: candidate.short?.accuracyChange.value ?? null,
      needleAtTarget: needle?.relative ?? null,
      reach: candidate.reach?.tokens ?? null,
      reachCensored: candidate.reach?.censored ?? false,
      passes: result === 'passed',
      outcome: result,
    },
  ];
}

function judgeAt(report: Report, label: string, options: OptimizeOptions): Trial['outcome'] {
  const { status } = judgeReport({
    // Findings are about the config as it stands, not about this candidate.
    report: { ...report, findings: [] },
    policy: { ...options.policy, candidates: [label] },
    candidates: [label],
    kvCacheGiB: options.kvCacheGiB,
  });
  if (status === 'passed' || status === 'failed') return status;
  return 'unverifiable';
}

/** Of the trials that pass the one of the smallest factor; then of the smaller loss at short lengths. */
export function bestOf(trials: readonly Trial[]): Trial | null {
  const passing = trials.filter((trial) => trial.passes);
  const cost = (trial: Trial): number => trial.lossChange ?? Number.POSITIVE_INFINITY;
  return [...passing].sort((a, b) => a.factor - b.factor || cost(a) - cost(b))[0] ?? null;
}

/** The smallest factor that holds at this length, by the policy's needle rule; then the best there. */
function settingFor(
  upTo: number,
  report: Report,
  trials: readonly Trial[],
  options: OptimizeOptions,
): LengthSetting {
  if (upTo <= options.trainedWindow) {
    // As a shorthand, `none` would take away what the weights were trained with.
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

/** A per-request setting has no short requests to hurt, so only the needle counts. */
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

/** As the default policy has it. */
const DEFAULT_NEEDLE = 0.8;
