import type { Reach, Short, Verdict } from '../report/schema.js';

/** Losses that the verdict tolerates at lengths that already worked; docs/report.md. */
export const SHORT_LIMITS = Object.freeze({
  /** nats of next-token loss: 0.05 is about 5 % of perplexity */
  lossChange: 0.05,
  /** share of facts */
  accuracyChange: -0.05,
});

/** Whether more contexts might tell if a scaling reaches the target. */
export function isOpen(reach: Reach, target: number): boolean {
  return reach.multiple > 0 && reach.low < target && reach.high >= target;
}

/** @param short the worst over the layer groups that the scaling reaches */
export function verdict(reach: Reach, short: readonly Short[], target: number): Verdict {
  if (reach.multiple === 0) return 'fails-short';
  if (reach.high < target) return 'falls-short';
  if (isOpen(reach, target)) return 'unclear';
  const costs = short.some(
    (s) =>
      s.lossChange.value > SHORT_LIMITS.lossChange ||
      s.accuracyChange.value < SHORT_LIMITS.accuracyChange,
  );
  return costs ? 'reaches-at-a-cost' : 'reaches';
}
