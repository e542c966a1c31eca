import type { Context } from './contexts.js';
import type { ContextScores } from './measure.js';

/** Change of log-probabilities between two readings of the same tokens, nats. */
export interface Drift {
  readonly max: number;
  /** Root of the mean square over the tokens. */
  readonly rms: number;
}

/**
 * What rounding cannot explain. Where a scaling has broken the model, a lone token may move by more
 * than 1e-4 through float32 alone; a wrong table moves them all.
 */
const LIMITS: Drift = Object.freeze({ max: 1e-4, rms: 5e-5 });

/** The same text further on; attention sees relative distances alone, so nothing may change. */
export function shifted(context: Context, tokens: number): Context {
  const at = (i: number): number => context.positions?.[i] ?? i;
  return { ...context, positions: context.tokens.map((_, i) => at(i) + tokens) };
}

/** Compares two readings of the same texts token by token. */
export function driftBetween(a: readonly ContextScores[], b: readonly ContextScores[]): Drift {
  const changes = a.flatMap(({ logProbability }, c) =>
    Array.from(logProbability, (value, i) => Math.abs(value - b[c]!.logProbability[i]!)),
  );
  const square = changes.reduce((sum, change) => sum + change * change, 0);
  return { max: Math.max(0, ...changes), rms: Math.sqrt(square / Math.max(1, changes.length)) };
}

/** Whether readings differ by more than rounding; a value that is no number does, too. */
export function drifts({ max, rms }: Drift): boolean {
  return !(max <= LIMITS.max || rms <= LIMITS.rms);
}
