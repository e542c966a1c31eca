import { cacheBytes, layerSpans } from '../geometry/analyse.js';
import { defined } from '../json/parse.js';
import type { ModelGeometry } from '../model/types.js';
import {
  average,
  type BinnedFacts,
  bootstrap,
  type Cluster,
  lastRung,
  mean,
  resamples,
} from '../probes/measure.js';
import { CONTEXTS_PER_SAMPLE, NEAREST_RUNGS } from '../probes/presets.js';
import { tokens } from '../report/format.js';
import type {
  CandidateReport,
  Interval,
  PerContext,
  Report,
  Short,
  ShortRows,
} from '../report/schema/report.js';

/** The value of a cell, recomputable for any resample of the run's contexts. */
export interface Sample {
  /** Hash of the contexts. Only samples of the same contexts can be paired. */
  readonly contexts: string;
  readonly size: number;
  readonly seed: number;
  readonly at: (drawn: readonly number[]) => number;
  /** Whether a draw has any answers. Contexts that end at the target have none beyond it. */
  readonly holds?: (drawn: readonly number[]) => boolean;
}

/**
 * Pairs of fewer contexts than this show nothing: even if all of them got worse, that happens by
 * chance in more than one of twenty cases (two-sided sign test: 2^-4 for five, 2^-5 for six).
 */
const FEWEST = 6;

/**
 * Estimates `after - before` with its 95 % interval by a bootstrap over the contexts that both runs
 * share.
 *
 * @returns undefined if the samples cannot be paired
 */
export function pairedChange(
  before: Sample | undefined,
  after: Sample | undefined,
): Interval | undefined {
  if (!before || !after) return undefined;
  if (before.contexts !== after.contexts) return undefined;
  // One run may have measured the candidate on further contexts. The first ones are the same.
  const size = Math.min(before.size, after.size);
  if (size < FEWEST) return undefined;
  const draws = resamples(size, after.seed).filter((drawn) =>
    [before, after].every(({ holds }) => holds?.(drawn) ?? true),
  );
  return bootstrap((drawn) => after.at(drawn) - before.at(drawn), size, draws);
}

export interface CandidateSamples {
  /** Needle accuracy at a rung, given the rung's index in the report's `needle`. */
  readonly needle: (rung: number) => Sample;
  readonly reach: () => Sample;
  /**
   * Candidate - reference of one row of the short probes.
   *
   * @param counts names the counts that turn the row's sums into means
   * @param part layer type; undefined = the global layers
   */
  readonly change: (
    row: keyof ShortRows,
    counts: Exclude<keyof PerContext['counts'], 'needle'>,
    part?: string,
  ) => Sample | undefined;
}

/**
 * Makes samples from the report's data per context.
 *
 * @returns undefined if the report has no data per context
 */
export function samplesOf(
  { perContext, settings }: Report,
  { label, needle: rungs }: CandidateReport,
): CandidateSamples | undefined {
  const own = perContext?.candidates.find((each) => each.label === label);
  // The reference always comes first.
  const reference = perContext?.candidates[0];
  if (!own || !reference) return undefined;
  const { counts, sha256: contexts } = perContext;
  const sample = (size: number, at: Sample['at']): Sample => {
    return { contexts, size, seed: settings.seed, at };
  };
  const home = rungs.findIndex((rung) => rung.multiple === 1);
  // Reach is judged from 1x on, so nothing can be paired without that rung.
  if (home < 0) return undefined;
  const facts = binned(own.needle, counts.needle);
  return {
    needle: (rung) => {
      const list = pooled(facts[rung] ?? []);
      const holds = (drawn: readonly number[]) => drawn.some((context) => list[context]!.count > 0);
      return { ...sample(list.length, (drawn) => mean(list, drawn)), holds };
    },
    reach: () => {
      const base = average(pooled(binned(reference.needle, counts.needle)[home] ?? []));
      const beyond = rungs.slice(home);
      const size = facts[home]?.[0]?.length ?? 0;
      const last = (drawn: readonly number[]): number => lastRung(facts.slice(home), base, drawn);
      return sample(size, (drawn) => beyond[last(drawn)]?.multiple ?? 0);
    },
    change: (row, count, part) => {
      const rows = part === undefined ? own.short : own.local.find((l) => l.layerType === part);
      if (rows === undefined) return undefined;
      const [a, b] = [
        clusters(rows[row], counts[count]),
        clusters(reference.short[row], counts[count]),
      ];
      return sample(a.length, (drawn) => mean(a, drawn) - mean(b, drawn));
    },
  };
}

function clusters(sums: string, counts: string): Cluster[] {
  const of = counts.split(' ').map(Number);
  return sums.split(' ').map((sum, i) => ({ sum: Number(sum), count: of[i] ?? NaN }));
}

function binned(
  sums: readonly (readonly string[])[],
  counts: readonly (readonly string[])[],
): BinnedFacts {
  return sums.map((bins, r) => bins.map((sum, b) => clusters(sum, counts[r]?.[b] ?? '')));
}

/** Adds up all distances of one rung. */
function pooled(bins: BinnedFacts[number]): Cluster[] {
  const size = bins[0]?.length ?? 0;
  return Array.from({ length: size }, (_, c) =>
    bins.reduce((all, bin) => ({ sum: all.sum + bin[c]!.sum, count: all.count + bin[c]!.count }), {
      sum: 0,
      count: 0,
    }),
  );
}

const GIB = 1024 ** 3;

/** The 16-bit KV cache of one sequence, in GiB; undefined for a model without attention layers. */
export function kvCacheGiB(model: ModelGeometry, tokens: number): number | undefined {
  const spans = layerSpans(model);
  if (spans.length === 0) return undefined;
  return cacheBytes(model.attention, spans, tokens, 'bfloat16') / GIB;
}

/** One value of a metric to judge a rule on. `part` names the layer type if a model has several. */
export interface MetricValue {
  readonly interval: Interval;
  readonly part?: string;
  /** The `samples` option that gives a run this many contexts; absent for exact values. */
  readonly samplesOption?: number;
  /** The ladder ended before the accuracy fell, so the true value may lie above the interval. */
  readonly censored?: boolean;
  /** The value if all that the reference finds were lost. If it passes, the rule is useless. */
  readonly allLost?: number;
  /** The interval is the value of a single context, which has none. */
  readonly single?: boolean;
}

/** The inputs that a metric is computed from. */
export interface MetricSource {
  readonly report: Report;
  readonly candidate: CandidateReport;
  /** Tokens; undefined for metrics without a length. */
  readonly at: number | undefined;
  /** GiB for one sequence of this many tokens in 16-bit, computed from the config. */
  readonly kvCacheGiB: (tokens: number) => number | undefined;
}

/** One number of a metric in a report, for comparing two reports. */
export interface MetricCell {
  /** Tokens, if the metric is measured at several lengths. */
  readonly at?: number;
  /** Layer type, if the metric is measured for each type. */
  readonly part?: string;
  readonly interval: Interval;
  /** Absent where the report has no data per context. */
  readonly sample?: Sample | undefined;
}

interface CellSource extends Pick<MetricSource, 'report' | 'candidate'> {
  readonly samples: CandidateSamples | undefined;
}

/** Things in a config that advice can blame for a failure. */
export type RopeSetting = 'scaling' | 'theta' | 'window' | 'localWindow';

/** The facts that advice about a failed rule mentions. */
export interface Failure {
  readonly candidate: string;
  readonly part: string | undefined;
  /** Tokens. */
  readonly target: number;
  /** Tokens. */
  readonly trainedWindow: number;
  /** Tokens; undefined if it was not measured. */
  readonly reach: number | undefined;
}

/** What is wrong and what to do about it. */
export interface Remedy {
  /** The sentences follow a path. */
  readonly says: string;
  /** Whether it helps to compare other scalings. */
  readonly compares: boolean;
}

/** One metric: how it is written in a rule, measured, compared and explained. */
export interface Metric {
  readonly better: 'higher' | 'lower';
  /** `required`: a rule must write `name@length`; `target`: the default is the gate's target. */
  readonly length: 'required' | 'target' | 'none';
  /** Whether the threshold is a length and may be written as one (`128k`, `4x`, `target`). */
  readonly thresholdIsLength?: boolean;
  /** Bounds of every possible measurement. A rule that all of them satisfy could never fail. */
  readonly range: readonly [low: number, high: number];
  readonly unit: string;
  readonly description: string;
  /**
   * `distance`: meaningless if every layer has a sliding window; `short`: measured at trained
   * lengths; `cost`: exact, from the config.
   */
  readonly kind: 'distance' | 'short' | 'cost';
  /** What to check when a rule fails: the first of these that the config writes. */
  readonly culprits: readonly RopeSetting[];
  /** Says what is wrong and what to do about a failed rule. */
  readonly advice: (failure: Failure) => Remedy;
  /** Empty if the report has no such number. */
  readonly measure: (source: MetricSource) => readonly MetricValue[];
  /** Empty if the config determines the numbers, so that two reports on it cannot differ. */
  readonly cells: (source: CellSource) => readonly MetricCell[];
}

/** Changes of a loss. Guessing among the 256 symbols of the probe's vocabulary costs 5.5 nats. */
const LOSS = { better: 'lower', unit: 'nats', range: [-100, 100] } as const;

/** Changes of a share of right answers. */
const SHARE = { better: 'higher', unit: 'share', range: [-1, 1] } as const;

/** Tokens. No ladder comes near the upper bound. */
const ANY_REACH = [0, 1e10] as const;

/** Every metric that a rule can name. To add one, add an entry here. */
const TABLE = {
  needle: {
    better: 'higher',
    length: 'required',
    range: [0, 1000],
    unit: 'x reference at 1x',
    description: "Needle accuracy at this length / the reference's accuracy at 1x.",
    kind: 'distance',
    culprits: ['scaling', 'window'],
    advice: lengthAdvice,
    measure: measureNeedle,
    cells: ({ candidate, samples }) =>
      candidate.needle.map((rung, index) => ({
        at: rung.tokens,
        interval: rung.accuracy,
        sample: samples?.needle(index),
      })),
  },
  reach: {
    better: 'higher',
    length: 'none',
    thresholdIsLength: true,
    range: ANY_REACH,
    unit: 'tokens',
    description: 'Largest length at which every distance keeps half of the accuracy at 1x.',
    kind: 'distance',
    culprits: ['scaling', 'window'],
    advice: lengthAdvice,
    measure: measureReach,
    // Reach is a multiple of the trained window here, so that it can be compared across models.
    cells: ({ candidate: { reach }, samples }) =>
      reach
        ? [
            {
              interval: { value: reach.multiple, low: reach.low, high: reach.high },
              sample: samples?.reach(),
            },
          ]
        : [],
  },
  lossChange: {
    ...LOSS,
    length: 'required',
    description:
      'Next-token loss at this length: candidate - reference on the same text within its window.',
    kind: 'distance',
    culprits: ['scaling', 'window'],
    advice: lengthAdvice,
    measure: ({ report, candidate, at }) => {
      const cell = cellAt(report, candidate, at);
      const { longText } = report.settings.contexts;
      return cell
        ? [{ interval: cell.lossChange, samplesOption: longText, single: longText === 1 }]
        : [];
    },
    // Reports have no data per context of this loss, and two saved intervals would hide most
    // changes.
    cells: () => [],
  },
  'short.accuracyChange': shortMetric({
    ...SHARE,
    description: 'Fact accuracy inside the trained window: candidate - reference.',
    cell: 'accuracyChange',
    row: 'facts',
    counts: 'facts',
    contexts: 'short',
    known: ({ factsCorrect, facts }) => factsCorrect / facts,
  }),
  'short.lossChange': shortMetric({
    ...LOSS,
    description: 'Next-token loss inside the trained window: candidate - reference.',
    cell: 'lossChange',
    row: 'textLoss',
    counts: 'text',
    contexts: 'shortText',
  }),
  'short.copyAccuracyChange': shortMetric({
    ...SHARE,
    description: 'Verbatim copying inside the trained window: candidate - reference.',
    cell: 'copyAccuracyChange',
    row: 'copies',
    counts: 'copies',
    contexts: 'short',
    known: ({ copyCorrect, copyTokens }) => copyCorrect / copyTokens,
  }),
  'short.copyLossChange': shortMetric({
    ...LOSS,
    description: 'Loss of verbatim copying inside the trained window: candidate - reference.',
    cell: 'copyLossChange',
    row: 'copyLoss',
    counts: 'copies',
    contexts: 'short',
  }),
  kvCacheGiB: {
    better: 'lower',
    length: 'target',
    range: [0, 65_536],
    unit: 'GiB',
    description: 'KV cache of one sequence of this length in 16-bit; exact, from the config.',
    kind: 'cost',
    culprits: ['window'],
    advice: () => ({
      says: 'Lower the maximum length, or raise the limit in the policy.',
      compares: false,
    }),
    measure: ({ at, kvCacheGiB }) => {
      const value = at === undefined ? undefined : kvCacheGiB(at);
      return value === undefined ? [] : [{ interval: { value, low: value, high: value } }];
    },
    cells: () => [],
  },
} satisfies Record<string, Metric>;

export type MetricName = keyof typeof TABLE;

export const METRICS: Readonly<Record<MetricName, Metric>> = Object.freeze(TABLE);

export const METRIC_NAMES = Object.freeze(Object.keys(TABLE) as [MetricName, ...MetricName[]]);

export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}

/** Makes the entry for one row of the short probes: candidate - reference, per layer type. */
function shortMetric(entry: {
  readonly better: Metric['better'];
  readonly unit: string;
  readonly range: Metric['range'];
  readonly description: string;
  readonly cell: 'accuracyChange' | 'lossChange' | 'copyAccuracyChange' | 'copyLossChange';
  readonly row: keyof ShortRows;
  readonly counts: Exclude<keyof PerContext['counts'], 'needle'>;
  readonly contexts: 'short' | 'shortText';
  /** For a metric of shares: the candidate's share of right answers. */
  readonly known?: (counts: Short['counts']) => number;
}): Metric {
  const { cell, row, counts, contexts, known, ...rest } = entry;
  return {
    ...rest,
    length: 'none',
    kind: 'short',
    culprits: ['scaling', 'theta'],
    advice: shortAdvice,
    measure: ({ report, candidate }) => {
      const samplesOption = report.settings.contexts[contexts] / CONTEXTS_PER_SAMPLE[contexts];
      // Where the table is the reference's own, there is nothing to be uncertain of.
      const isOther = candidate.groups.some(({ changed }) => changed);
      return partsOf(candidate).map(({ part, short }) => ({
        interval: short[cell],
        samplesOption,
        single: isOther && contextsOf(short, contexts) === 1,
        ...defined({ part }),
        // The reference's share is the candidate's share minus the change.
        ...(known ? { allLost: short[cell].value - known(short.counts) } : {}),
      }));
    },
    cells: ({ candidate, samples }) =>
      partsOf(candidate).map(({ part, short }) => ({
        interval: short[cell],
        sample: samples?.change(row, counts, part),
        ...defined({ part }),
      })),
  };
}

function contextsOf({ counts }: Short, contexts: 'short' | 'shortText'): number {
  return contexts === 'short' ? counts.contexts : counts.textContexts;
}

/** Lists the global layers first, then each type of local layers. */
function partsOf({ short, local }: CandidateReport): { part?: string; short: Short }[] {
  return [
    ...(short ? [{ short }] : []),
    ...local.map((each) => ({ part: each.layerType, short: each.short })),
  ];
}

/**
 * Finds the rung of a ladder at this length. Lengths are rounded to whole tokens.
 *
 * @param within tokens: the nearest rung counts if it is at most this far away
 */
function rungAt<R extends { readonly tokens: number }>(
  rungs: readonly R[],
  tokens: number,
  within = 1,
): R | undefined {
  const away = (rung: R): number => Math.abs(rung.tokens - tokens);
  const [first, ...rest] = rungs;
  const nearest = first && rest.reduce((a, b) => (away(b) < away(a) ? b : a), first);
  return nearest && away(nearest) <= within ? nearest : undefined;
}

/** Finds the rung of a ladder that stands for a length. */
function cellAt(
  { reference }: Report,
  { needle }: CandidateReport,
  at: number | undefined,
): CandidateReport['needle'][number] | undefined {
  // Lengths that nearly coincide share one rung of the ladder.
  const within = Math.max(1, NEAREST_RUNGS * reference.trainedWindow);
  return at === undefined ? undefined : rungAt(needle, at, within);
}

/** Finds the reference's rung at 1x, which facts are measured against. */
function referenceAtHome({ candidates, reference }: Report) {
  const own = candidates.find((each) => each.role === 'reference');
  return own && rungAt(own.needle, reference.trainedWindow);
}

/** Whether the weights find no facts in their own window, so that nothing can be relative to it. */
function findsNoFacts(report: Report): boolean {
  return referenceAtHome(report)?.accuracy.value === 0;
}

/** Metrics that are relative to the facts that the reference finds at 1x. */
const AGAINST_FACTS: ReadonlySet<MetricName> = new Set(['needle', 'reach']);

/** Whether a metric has no value on these weights, because they find no facts without a scaling. */
export function lacksFacts(metric: MetricName, report: Report): boolean {
  return AGAINST_FACTS.has(metric) && findsNoFacts(report);
}

function measureNeedle({ report, candidate, at }: MetricSource): readonly MetricValue[] {
  const cell = cellAt(report, candidate, at);
  const base = referenceAtHome(report);
  if (!cell || !base || base.accuracy.value <= 0) return [];
  // The contexts and the length are the same, so the ratio is 1 by definition.
  if (cell === base) return [{ interval: { value: 1, low: 1, high: 1 }, samplesOption: 0 }];
  // The reference's uncertainty is ignored: its accuracy at 1x serves as a fixed yardstick here.
  const scale = 1 / base.accuracy.value;
  return [
    {
      interval: {
        value: cell.relative,
        low: cell.accuracy.low * scale,
        high: cell.accuracy.high * scale,
      },
      samplesOption: longContexts(report, candidate),
    },
  ];
}

function measureReach({ report, candidate }: MetricSource): readonly MetricValue[] {
  const { reach } = candidate;
  if (!reach || findsNoFacts(report)) return [];
  const window = report.reference.trainedWindow;
  return [
    {
      interval: { value: reach.tokens, low: reach.low * window, high: reach.high * window },
      samplesOption: longContexts(report, candidate),
      censored: reach.censored,
    },
  ];
}

/** One sample is one long context. */
function longContexts(report: Report, candidate: CandidateReport): number {
  return candidate.longContexts ?? report.settings.contexts.long;
}

function lengthAdvice(failure: Failure): Remedy {
  const { candidate, target, trainedWindow, reach } = failure;
  // A scaling that loses facts inside the trained window has another problem than the length.
  if (reach === 0) return shortAdvice({ ...failure, part: undefined });
  const works =
    reach === undefined || reach >= target ? '' : ` It works up to about ${tokens(reach)} tokens.`;
  return {
    says:
      `${tokens(target)} tokens are asked of ${candidate}, ${tokens(trainedWindow)} were trained.` +
      `${works} Ask for less, or find a scaling that reaches it.`,
    compares: true,
  };
}

function shortAdvice({ part, trainedWindow }: Failure): Remedy {
  const what =
    part === undefined
      ? `The model gets worse inside the ${tokens(trainedWindow)} tokens it was trained on`
      : `The ${part} layers never see longer contexts, so a scaling only costs them accuracy`;
  return {
    says: `${what}. Undo the change, or choose a gentler scaling.`,
    compares: true,
  };
}
