import type { Interval, Reach, Short, Verdict } from '../report/schema/candidate.js';

/** Losses that the verdict tolerates at lengths that already worked; docs/report.md. */
export const SHORT_LIMITS = Object.freeze({
  /** nats of next-token loss: 0.05 is about 5 % of perplexity */
  lossChange: 0.05,
  /** share of facts */
  accuracyChange: -0.05,
});

export const QUANTITIES = ['accuracy', 'loss'] as const;

/** A difference that is no chance, and as large as the verdict counts as a cost. */
export function matters(
  { value, low, high }: Interval,
  quantity: (typeof QUANTITIES)[number],
): boolean {
  const limit =
    quantity === 'accuracy' ? Math.abs(SHORT_LIMITS.accuracyChange) : SHORT_LIMITS.lossChange;
  return (low > 0 || high < 0) && Math.abs(value) > limit;
}

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
