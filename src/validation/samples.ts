import { ladders } from './ladders.js';
import type { Wanted } from './ladder-run.js';

/** Contexts of each scaling on a ladder. */
export interface Samples {
  readonly long: number;
  readonly longText: number;
}

export const FULL: Samples = Object.freeze({ long: 10, longText: 20 });
/** Fewer contexts than these and the order of scalings is noise. */
const FEWEST: Samples = Object.freeze({ long: 2, longText: 4 });

/** Probe tokens at which attention costs as much as the rest of the model. */
const ATTENTION_TOKENS = 1024;
/** Weighted tokens of a whole file; about three minutes on two cores (docs/validation.md). */
const BUDGET = 10e6;

/** Weighted tokens of one context of each scaling: attention grows with the length squared. */
export function costOfOne(scalings: readonly Wanted[], window: number): number {
  const all = ladders(scalings.flatMap((s) => s.multiples));
  const passes = scalings.flatMap(({ multiples }) =>
    all.map((ladder) => Math.max(0, ...ladder.filter((m) => multiples.includes(m)))),
  );
  return passes.reduce((sum, longest) => {
    const tokens = longest * window;
    return sum + tokens * (1 + tokens / ATTENTION_TOKENS);
  }, 0);
}

/**
 * Contexts that the budget allows for a file's scalings.
 *
 * @param cost `costOfOne`, summed over the models
 */
export function samplesWithin(cost: number): Samples {
  const share = Math.min(1, BUDGET / (cost * (FULL.long + FULL.longText)));
  return {
    long: Math.max(FEWEST.long, Math.floor(FULL.long * share)),
    longText: Math.max(FEWEST.longText, Math.floor(FULL.longText * share)),
  };
}
