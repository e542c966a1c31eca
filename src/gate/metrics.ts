import { cacheBytes, layerSpans } from '../geometry/cost.js';
import type { ModelGeometry } from '../model/types.js';
import { CONTEXTS_PER_SAMPLE, NEAREST_RUNGS } from '../probes/presets.js';
import type { CandidateReport, Interval, Report, Short } from '../report/schema/report.js';

const GIB = 1024 ** 3;

/** KV cache of one sequence in 16-bit, GiB; undefined for a model without attention layers. */
export function kvCacheGiB(model: ModelGeometry, tokens: number): number | undefined {
  const spans = layerSpans(model);
  if (spans.length === 0) return undefined;
  return cacheBytes(model.attention, spans, tokens, 'bfloat16') / GIB;
}

/** One reading of a metric. `part` names the layers, where a model has several kinds. */
export interface Measurement {
  readonly interval: Interval;
  readonly part?: string;
  /** What `--samples` would have to be for this many contexts; absent for exact values. */
  readonly samples?: number;
  /** The ladder ended first: the true value may be higher than the interval. */
  readonly censored?: boolean;
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

export interface Metric {
  readonly better: 'higher' | 'lower';
  /** `required`: written `name@length`; `target`: the gate's target where none is written. */
  readonly length: 'required' | 'target' | 'none';
  /** The threshold is a length and may be written as one (`128k`, `4x`, `target`). */
  readonly thresholdIsLength: boolean;
  readonly unit: string;
  readonly description: string;
  /** Empty: the report has no such cell. */
  readonly measure: (source: MetricSource) => readonly Measurement[];
}

const SHORT = { length: 'none', thresholdIsLength: false } as const;

const TABLE = {
  needle: {
    better: 'higher',
    length: 'required',
    thresholdIsLength: false,
    unit: 'x reference at 1x',
    description: "Needle accuracy at this length / the reference's accuracy at 1x.",
    measure: measureNeedle,
  },
  reach: {
    better: 'higher',
    length: 'none',
    thresholdIsLength: true,
    unit: 'tokens',
    description: 'Largest length at which every distance keeps half of the accuracy at 1x.',
    measure: measureReach,
  },
  'short.accuracyChange': {
    ...SHORT,
    better: 'higher',
    unit: 'share',
    description: 'Fact accuracy inside the trained window: candidate - reference.',
    measure: (source) => measureShort(source, (short) => short.accuracyChange),
  },
  'short.lossChange': {
    ...SHORT,
    better: 'lower',
    unit: 'nats',
    description: 'Next-token loss inside the trained window: candidate - reference.',
    measure: (source) => measureShort(source, (short) => short.lossChange, 'shortText'),
  },
  'short.copyAccuracyChange': {
    ...SHORT,
    better: 'higher',
    unit: 'share',
    description: 'Verbatim copying inside the trained window: candidate - reference.',
    measure: (source) => measureShort(source, (short) => short.copyAccuracyChange),
  },
  'short.copyLossChange': {
    ...SHORT,
    better: 'lower',
    unit: 'nats',
    description: 'Loss of verbatim copying inside the trained window: candidate - reference.',
    measure: (source) => measureShort(source, (short) => short.copyLossChange),
  },
  kvCacheGiB: {
    better: 'lower',
    length: 'target',
    thresholdIsLength: false,
    unit: 'GiB',
    description: 'KV cache of one sequence of this length in 16-bit; exact, from the config.',
    measure: ({ at, kvCacheGiB }) => {
      const value = at === undefined ? undefined : kvCacheGiB(at);
      return value === undefined ? [] : [{ interval: { value, low: value, high: value } }];
    },
  },
} satisfies Record<string, Metric>;

export type MetricName = keyof typeof TABLE;

/** Every metric that a rule can name. Adding one is one entry above. */
export const METRICS: Readonly<Record<MetricName, Metric>> = Object.freeze(TABLE);

export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}

/**
 * The rung of a ladder at this length; lengths are rounded to whole tokens.
 *
 * @param within tokens: the nearest rung up to so far away will do
 */
export function rungAt<R extends { readonly tokens: number }>(
  rungs: readonly R[],
  tokens: number,
  within = 1,
): R | undefined {
  const away = (rung: R): number => Math.abs(rung.tokens - tokens);
  const [first, ...rest] = rungs;
  const nearest = first && rest.reduce((a, b) => (away(b) < away(a) ? b : a), first);
  return nearest && away(nearest) <= within ? nearest : undefined;
}

function measureNeedle({ report, candidate, at }: MetricSource): readonly Measurement[] {
  // The ladder has no rung of its own for a length that is as good as another one.
  const within = Math.max(1, NEAREST_RUNGS * report.reference.trainedWindow);
  const cell = at === undefined ? undefined : rungAt(candidate.needle, at, within);
  const reference = report.candidates.find((each) => each.role === 'reference');
  const base = reference && rungAt(reference.needle, report.reference.trainedWindow);
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
  if (!reach) return [];
  const window = report.reference.trainedWindow;
  return [
    {
      interval: { value: reach.tokens, low: reach.low * window, high: reach.high * window },
      samples: longContexts(report, candidate),
      censored: reach.censored,
    },
  ];
}

function measureShort(
  { report, candidate }: MetricSource,
  pick: (short: Short) => Interval,
  contexts: 'short' | 'shortText' = 'short',
): readonly Measurement[] {
  const samples = samplesOf(report, contexts);
  const local = candidate.local.map((each) => ({
    interval: pick(each.short),
    part: each.layerType,
    samples,
  }));
  return candidate.short ? [{ interval: pick(candidate.short), samples }, ...local] : local;
}

/** One `--samples` is one of them. */
function longContexts(report: Report, candidate: CandidateReport): number {
  return candidate.longContexts ?? report.settings.contexts.long;
}

function samplesOf(report: Report, contexts: 'short' | 'shortText'): number {
  return report.settings.contexts[contexts] / CONTEXTS_PER_SAMPLE[contexts];
}
