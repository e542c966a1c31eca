import { cacheBytes, layerSpans } from '../geometry/cost.js';
import type { ModelGeometry } from '../model/types.js';
import { average, bootstrap, type Cluster, mean, resamples } from '../probes/measure.js';
import { CONTEXTS_PER_SAMPLE, NEAREST_RUNGS } from '../probes/presets.js';
import { type BinnedFacts, lastRung } from '../probes/reach.js';
import { tokens } from '../report/format.js';
import type {
  CandidateReport,
  Interval,
  PerContext,
  Report,
  Short,
  ShortRows,
} from '../report/schema/report.js';

/** A cell's value on any draw of a run's contexts. */
export interface Sample {
  /** Which contexts: samples pair only on the same. */
  readonly contexts: string;
  readonly size: number;
  readonly seed: number;
  readonly at: (drawn: readonly number[]) => number;
}

/**
 * Fewer contexts than this show nothing in pairs: even where all of them got worse, chance does
 * that in more than one of twenty cases (two-sided sign test: 2^-4 for five, 2^-5 for six).
 */
const FEWEST = 6;

/**
 * `after - before` with its 95 % interval by a bootstrap over the contexts that both runs share.
 *
 * @returns undefined where the samples do not pair
 */
export function pairedChange(
  before: Sample | undefined,
  after: Sample | undefined,
): Interval | undefined {
  if (!before || !after) return undefined;
  if (before.contexts !== after.contexts) return undefined;
  // One of them may have been given further contexts; the first ones are the same.
  const size = Math.min(before.size, after.size);
  if (size < FEWEST) return undefined;
  const draws = resamples(size, after.seed);
  return bootstrap((drawn) => after.at(drawn) - before.at(drawn), size, draws);
}

/** The samples behind one candidate's cells. */
export interface CandidateSamples {
  /** Needle accuracy at a rung, by its index in the report's `needle`. */
  readonly needle: (rung: number) => Sample;
  readonly reach: () => Sample;
  /**
   * Candidate - reference of one row of the short probes.
   *
   * @param counts what the row's sums are of
   * @param part layer type; undefined = the global layers
   */
  readonly change: (
    row: keyof ShortRows,
    counts: Exclude<keyof PerContext['counts'], 'needle'>,
    part?: string,
  ) => Sample | undefined;
}

/** @returns undefined where the report says nothing about single contexts */
export function samplesOf(
  { perContext, settings }: Report,
  { label, needle: rungs }: CandidateReport,
): CandidateSamples | undefined {
  const own = perContext?.candidates.find((each) => each.label === label);
  // The reference is always the first.
  const reference = perContext?.candidates[0];
  if (!own || !reference) return undefined;
  const { counts, sha256: contexts } = perContext;
  const sample = (size: number, at: Sample['at']): Sample => {
    return { contexts, size, seed: settings.seed, at };
  };
  const home = rungs.findIndex((rung) => rung.multiple === 1);
  // Reach is judged from 1x on: without it nothing pairs.
  if (home < 0) return undefined;
  const facts = binned(own.needle, counts.needle);
  return {
    needle: (rung) => {
      const list = pooled(facts[rung] ?? []);
      return sample(list.length, (drawn) => mean(list, drawn));
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

/** All distances of one rung together. */
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

/** KV cache of one sequence in 16-bit, GiB; undefined for a model without attention layers. */
export function kvCacheGiB(model: ModelGeometry, tokens: number): number | undefined {
  const spans = layerSpans(model);
  if (spans.length === 0) return undefined;
  return cacheBytes(model.attention, spans, tokens, 'bfloat16') / GIB;
}

/** One reading of a metric, for a rule. `part` names the layers, where a model has several kinds. */
export interface Measurement {
  readonly interval: Interval;
  readonly part?: string;
  /** How many samples a run has to ask for to get so many contexts; absent for exact values. */
  readonly samples?: number;
  /** The ladder ended first: the true value may be higher than the interval. */
  readonly censored?: boolean;
  /** The value if all that the reference knows were lost: a rule that allows it cannot judge. */
  readonly allLost?: number;
}

/** What a metric is read from. */
export interface MetricSource {
  readonly report: Report;
  readonly candidate: CandidateReport;
  /** Tokens; undefined for metrics without a length. */
  readonly at: number | undefined;
  /** GiB for one sequence of this many tokens in 16-bit; computed from the config. */
  readonly kvCacheGiB: (tokens: number) => number | undefined;
}

/** Where the metric's number stands in a report, for a comparison of two reports. */
export interface MetricCell {
  /** Tokens, where the metric is measured at several lengths. */
  readonly at?: number;
  /** Layer type. */
  readonly part?: string;
  readonly interval: Interval;
  /** Absent where the report has no data per context. */
  readonly sample?: Sample | undefined;
}

export interface CellSource {
  readonly report: Report;
  readonly candidate: CandidateReport;
  readonly samples: CandidateSamples | undefined;
}

/** What a config can be blamed for. */
export type Subject = 'scaling' | 'theta' | 'window' | 'localWindow';

/** What the sentence of advice about a failed rule is made of. */
export interface Failure {
  readonly candidate: string;
  readonly part: string | undefined;
  /** Tokens. */
  readonly target: number;
  /** Tokens. */
  readonly trainedWindow: number;
  /** Tokens; undefined where it was not measured. */
  readonly reach: number | undefined;
  /** The command that compares scalings for this config. */
  readonly compare: string;
}

export interface Metric {
  readonly better: 'higher' | 'lower';
  /** `required`: written `name@length`; `target`: the gate's target where none is written. */
  readonly length: 'required' | 'target' | 'none';
  /** The threshold is a length and may be written as one (`128k`, `4x`, `target`). */
  readonly thresholdIsLength: boolean;
  /** Every value that a measurement can have lies in here: a rule that all of them satisfy is void. */
  readonly range: readonly [low: number, high: number];
  readonly unit: string;
  readonly description: string;
  /**
   * `distance`: without meaning in a model whose layers all look back over a window only; `short`:
   * about lengths that were trained; `cost`: exact, from the config.
   */
  readonly kind: 'distance' | 'short' | 'cost';
  /** What to look at when a rule fails: the first that the config writes. */
  readonly culprits: readonly Subject[];
  /** What is wrong and what to do, for a rule that failed; the sentence goes on behind a path. */
  readonly advice: (failure: Failure) => string;
  /** Empty: the report has no such number. */
  readonly measure: (source: MetricSource) => readonly Measurement[];
  /** Empty for numbers that the config fixes: two reports of one config cannot differ in them. */
  readonly cells: (source: CellSource) => readonly MetricCell[];
}

/** Nats. The probe's vocabulary has 256 symbols: to guess among them costs 5.5. */
const ANY_LOSS_CHANGE = [-100, 100] as const;

/** Tokens; no ladder comes near it. */
const ANY_REACH = [0, 1e10] as const;

/** Every metric that a rule can name. A new one is one entry. */
const TABLE = {
  needle: {
    better: 'higher',
    length: 'required',
    thresholdIsLength: false,
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
    // A multiple of the trained window, so that it also reads across models.
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
    better: 'lower',
    length: 'required',
    thresholdIsLength: false,
    range: ANY_LOSS_CHANGE,
    unit: 'nats',
    description:
      'Next-token loss at this length: candidate - reference on the same text within its window.',
    kind: 'distance',
    culprits: ['scaling', 'window'],
    advice: lengthAdvice,
    measure: ({ report, candidate, at }) => {
      const cell = cellAt(report, candidate, at);
      return cell
        ? [{ interval: cell.lossChange, samples: report.settings.contexts.longText }]
        : [];
    },
    // Reports keep no single contexts of it, and two saved intervals would let most changes pass.
    cells: () => [],
  },
  'short.accuracyChange': shortMetric({
    better: 'higher',
    unit: 'share',
    range: [-1, 1],
    description: 'Fact accuracy inside the trained window: candidate - reference.',
    cell: 'accuracyChange',
    row: 'facts',
    counts: 'facts',
    contexts: 'short',
    known: ({ factsCorrect, facts }) => factsCorrect / facts,
  }),
  'short.lossChange': shortMetric({
    better: 'lower',
    unit: 'nats',
    range: ANY_LOSS_CHANGE,
    description: 'Next-token loss inside the trained window: candidate - reference.',
    cell: 'lossChange',
    row: 'textLoss',
    counts: 'text',
    contexts: 'shortText',
  }),
  'short.copyAccuracyChange': shortMetric({
    better: 'higher',
    unit: 'share',
    range: [-1, 1],
    description: 'Verbatim copying inside the trained window: candidate - reference.',
    cell: 'copyAccuracyChange',
    row: 'copies',
    counts: 'copies',
    contexts: 'short',
    known: ({ copyCorrect, copyTokens }) => copyCorrect / copyTokens,
  }),
  'short.copyLossChange': shortMetric({
    better: 'lower',
    unit: 'nats',
    range: ANY_LOSS_CHANGE,
    description: 'Loss of verbatim copying inside the trained window: candidate - reference.',
    cell: 'copyLossChange',
    row: 'copyLoss',
    counts: 'copies',
    contexts: 'short',
  }),
  kvCacheGiB: {
    better: 'lower',
    length: 'target',
    thresholdIsLength: false,
    range: [0, 65_536],
    unit: 'GiB',
    description: 'KV cache of one sequence of this length in 16-bit; exact, from the config.',
    kind: 'cost',
    culprits: ['window'],
    advice: () => 'lower the maximum length, or raise the limit in the policy.',
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

/** An entry for one row of the short probes: candidate - reference, per kind of layer. */
function shortMetric(entry: {
  readonly better: Metric['better'];
  readonly unit: string;
  readonly range: Metric['range'];
  readonly description: string;
  readonly cell: 'accuracyChange' | 'lossChange' | 'copyAccuracyChange' | 'copyLossChange';
  readonly row: keyof ShortRows;
  readonly counts: Exclude<keyof PerContext['counts'], 'needle'>;
  readonly contexts: 'short' | 'shortText';
  /** The candidate's share of right answers, of metrics that are of shares. */
  readonly known?: (counts: Short['counts']) => number;
}): Metric {
  const { cell, row, counts, contexts, known, ...rest } = entry;
  return {
    ...rest,
    length: 'none',
    thresholdIsLength: false,
    kind: 'short',
    culprits: ['scaling', 'theta'],
    advice: shortAdvice,
    measure: ({ report, candidate }) => {
      const samples = report.settings.contexts[contexts] / CONTEXTS_PER_SAMPLE[contexts];
      return partsOf(candidate).map(({ part, short }) => ({
        interval: short[cell],
        samples,
        ...(part === undefined ? {} : { part }),
        // What the reference knows is what the candidate knows, less the change.
        ...(known ? { allLost: short[cell].value - known(short.counts) } : {}),
      }));
    },
    cells: ({ candidate, samples }) =>
      partsOf(candidate).map(({ part, short }) => ({
        interval: short[cell],
        sample: samples?.change(row, counts, part),
        ...(part === undefined ? {} : { part }),
      })),
  };
}

/** The global layers first, then each kind of local ones. */
function partsOf({ short, local }: CandidateReport): { part?: string; short: Short }[] {
  return [
    ...(short ? [{ short }] : []),
    ...local.map((each) => ({ part: each.layerType, short: each.short })),
  ];
}

/**
 * The rung of a ladder at this length; lengths are rounded to whole tokens.
 *
 * @param within tokens: the nearest rung up to so far away will do
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

/** The rung of a ladder that is read for a length. */
function cellAt(
  { reference }: Report,
  { needle }: CandidateReport,
  at: number | undefined,
): CandidateReport['needle'][number] | undefined {
  // The ladder has no rung of its own for a length that is as good as another one.
  const within = Math.max(1, NEAREST_RUNGS * reference.trainedWindow);
  return at === undefined ? undefined : rungAt(needle, at, within);
}

/** The reference at 1x, which facts are measured against. */
function referenceAtHome({ candidates, reference }: Report) {
  const own = candidates.find((each) => each.role === 'reference');
  return own && rungAt(own.needle, reference.trainedWindow);
}

/** Whether the weights find no facts in their own window: what is measured against that is void. */
function findsNoFacts(report: Report): boolean {
  return referenceAtHome(report)?.accuracy.value === 0;
}

/** Metrics that are measured against the reference's facts at 1x. */
const AGAINST_FACTS: ReadonlySet<MetricName> = new Set(['needle', 'reach']);

/** Whether a metric has no value on these weights, since they find no facts without a scaling. */
export function lacksFacts(metric: MetricName, report: Report): boolean {
  return AGAINST_FACTS.has(metric) && findsNoFacts(report);
}

function measureNeedle({ report, candidate, at }: MetricSource): readonly Measurement[] {
  const cell = cellAt(report, candidate, at);
  const base = referenceAtHome(report);
  if (!cell || !base || base.accuracy.value <= 0) return [];
  // The same contexts at the same length: the ratio is 1 by definition, not by measurement.
  if (cell === base) return [{ interval: { value: 1, low: 1, high: 1 }, samples: 0 }];
  // The reference's own uncertainty is left out: its accuracy at 1x is a fixed yardstick here.
  const scale = 1 / base.accuracy.value;
  return [
    {
      interval: {
        value: cell.relative,
        low: cell.accuracy.low * scale,
        high: cell.accuracy.high * scale,
      },
      samples: longContexts(report, candidate),
    },
  ];
}

function measureReach({ report, candidate }: MetricSource): readonly Measurement[] {
  const { reach } = candidate;
  if (!reach || findsNoFacts(report)) return [];
  const window = report.reference.trainedWindow;
  return [
    {
      interval: { value: reach.tokens, low: reach.low * window, high: reach.high * window },
      samples: longContexts(report, candidate),
      censored: reach.censored,
    },
  ];
}

/** One sample is one long context. */
function longContexts(report: Report, candidate: CandidateReport): number {
  return candidate.longContexts ?? report.settings.contexts.long;
}

function lengthAdvice({ candidate, target, trainedWindow, reach, compare }: Failure): string {
  const works =
    reach === 0
      ? ' It loses facts inside the trained window already.'
      : ` It works up to about ${tokens(reach ?? 0)} tokens.`;
  const reached = reach === undefined || reach >= target ? '' : works;
  return `${tokens(target)} tokens are asked of ${candidate}, ${tokens(trainedWindow)} were trained.${reached} Ask for less, or find a scaling that reaches it: ${compare}.`;
}

function shortAdvice({ part, trainedWindow, compare }: Failure): string {
  const what =
    part === undefined
      ? `The model gets worse inside the ${tokens(trainedWindow)} tokens it was trained on`
      : `The ${part} layers never see longer contexts, so a scaling only costs them accuracy`;
  return `${what}. Choose a smaller factor or a gentler scaling (${compare} compares them), or undo the change if short requests matter.`;
}
