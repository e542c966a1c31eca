import type { ModelGeometry } from '../config/types.js';
import type { Report } from '../report/schema.js';
import type { MetricName } from './metrics.js';

/** Why a rule passes although no measurement satisfies it: nothing it asks about can have changed. */

/** Metrics of distances, which a model without global layers never meets. */
const LONG_METRICS: ReadonlySet<MetricName> = new Set<MetricName>(['needle', 'reach']);

/** Whether all layers look back over a window only, so that the metric has no meaning. */
export function isLocalOnly(metric: MetricName, { candidates }: Report): boolean {
  return LONG_METRICS.has(metric) && candidates.some(({ verdict }) => verdict === 'not-needed');
}

/** What a change left as the config before it has it. */
export interface Unchanged {
  /** Labels of candidates that are the same scaling in both configs. */
  readonly candidates: readonly string[];
  /** The length that the config claims is the same. */
  readonly window: boolean;
}

/**
 * What the config after a change has in common with the one before it. Only `as-configured` can
 * be in both: every other candidate is the policy's, not the config's.
 *
 * @param own labels of the candidates that are the config as it stands
 */
export function unchangedBetween(
  before: ModelGeometry,
  after: ModelGeometry,
  own: readonly string[],
): Unchanged {
  return {
    candidates: rotation(before) === rotation(after) ? own : [],
    window: before.maxPositions === after.maxPositions,
  };
}

/** Everything of a model that decides what its rotary tables are, as text. */
function rotation({ groups, softmaxScale }: ModelGeometry): string {
  const layers = groups.map(({ layerType, span, rope }) => ({ layerType, span, rope }));
  return JSON.stringify({ layers, softmaxScale });
}

/**
 * Whether a rule on this metric asks about something that the change left alone. A longer claimed
 * length is a change for the metrics of distances, also with the same scaling.
 */
export function isUnchanged(
  metric: MetricName,
  label: string,
  unchanged: Unchanged | undefined,
): boolean {
  if (!unchanged?.candidates.includes(label)) return false;
  if (metric.startsWith('short.')) return true;
  return unchanged.window && LONG_METRICS.has(metric);
}
