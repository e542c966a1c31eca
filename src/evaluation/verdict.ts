import type { CandidateReport, Reach, Report, Short, Verdict } from '../report/schema.js';

/** Losses that the verdict tolerates at lengths that already worked; docs/report.md. */
export const SHORT_LIMITS = Object.freeze({
  /** nats of next-token loss: 0.05 is about 5 % of perplexity */
  lossChange: 0.05,
  /** share of facts */
  accuracyChange: -0.05,
});

/** @param short the worst over the layer groups that the scaling reaches */
export function verdict(reach: Reach, short: readonly Short[], target: number): Verdict {
  if (reach.multiple === 0) return 'fails-short';
  if (reach.high < target) return 'falls-short';
  if (reach.low < target) return 'unclear';
  const costs = short.some(
    (s) =>
      s.lossChange.value > SHORT_LIMITS.lossChange ||
      s.accuracyChange.value < SHORT_LIMITS.accuracyChange,
  );
  return costs ? 'reaches-at-a-cost' : 'reaches';
}

type Recommendation = Report['recommendation'];

/** Verdicts that a recommendation may rest on, the surest first. */
const TIERS = Object.freeze([['reaches', 'reaches-at-a-cost'], ['unclear']] as const);

/**
 * The lowest score among those that reach the target, else among those whose reach the contexts
 * could not settle; else the one that gets farthest. The score weighs the short-context cost, so a
 * limit on it would only put a cliff where there is a slope.
 *
 * @param isTied whether two candidates' scores cannot be told apart
 */
export function recommend(
  candidates: readonly CandidateReport[],
  target: number,
  isTied: (a: CandidateReport, b: CandidateReport) => boolean,
): Recommendation {
  const reference = candidates[0]!;
  const others = candidates.slice(1);
  const localOnly = others.length > 0 && others.every((c) => c.verdict === 'not-needed');
  if (target <= 1 || localOnly || (reference.reach?.multiple ?? 0) >= target)
    return { code: 'keep', candidate: reference.label, tied: [] };
  const measured = others.filter((c) => c.score !== null);
  for (const verdicts of TIERS) {
    const tier = measured.filter((c) => verdicts.some((v) => v === c.verdict));
    if (tier.length === 0) continue;
    const best = tier.reduce((a, b) => (b.score! < a.score! ? b : a));
    const tied = tier.filter((c) => c !== best && isTied(best, c)).map((c) => c.label);
    return { code: CODES[best.verdict] ?? 'unclear', candidate: best.label, tied };
  }
  const farthest = measured.reduce<CandidateReport | undefined>(
    (a, b) => (!a || (b.reach?.multiple ?? 0) > (a.reach?.multiple ?? 0) ? b : a),
    undefined,
  );
  return { code: 'none-reaches', candidate: farthest?.label ?? null, tied: [] };
}

const CODES: Readonly<Partial<Record<Verdict, Recommendation['code']>>> = Object.freeze({
  reaches: 'use',
  'reaches-at-a-cost': 'use-at-a-cost',
});
