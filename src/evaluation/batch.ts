import { cachedTable, sharedTable, type Engine, type RotaryInputs } from '../engine/index.js';
import type { Context } from '../probes/contexts.js';
import type { ContextScores } from '../probes/measure.js';
import type { Rotation } from './cached.js';

/** Whether one table of positions does not serve them all. */
export const hasOwnPositions = (contexts: readonly Context[]): boolean =>
  contexts.some((c) => c.positions);

/**
 * What contexts are rotated by.
 *
 * @param length tokens of each
 * @returns (length) rows; where contexts have positions of their own, (contexts * length)
 */
export function rotaryOf(
  table: Rotation,
  length: number,
  contexts: readonly Context[],
): RotaryInputs {
  if ('byIndex' in table) return cachedTable(table.byIndex.slice(0, length));
  const upTo = (at: Context['positions']) => Array.from({ length }, (_, t) => at?.[t] ?? t);
  const positions = hasOwnPositions(contexts)
    ? contexts.flatMap((c) => upTo(c.positions))
    : upTo(undefined);
  return sharedTable(table, positions);
}

/** Runs contexts of one length at once. @returns scores in the order of the contexts */
export async function runBatch(
  engine: Engine,
  length: number,
  contexts: readonly Context[],
  rotary: RotaryInputs,
): Promise<ContextScores[]> {
  const batch = contexts.length;
  // Rows are ascending, so the scored tokens of a shorter length come first.
  const counts = contexts.map((c) => c.rows.filter((row) => row < length).length);
  const score = Math.max(1, ...counts);
  const own = hasOwnPositions(contexts);
  const tokens = new BigInt64Array(batch * length);
  const positions = new BigInt64Array(batch * length);
  const scored = new BigInt64Array(batch * score);
  const targets = new BigInt64Array(batch * score);
  contexts.forEach((context, b) => {
    for (let t = 0; t < length; t++) {
      tokens[b * length + t] = BigInt(context.tokens[t]!);
      positions[b * length + t] = BigInt(own ? b * length + t : t);
    }
    for (let i = 0; i < counts[b]!; i++) {
      scored[b * score + i] = BigInt(context.rows[i]!);
      targets[b * score + i] = BigInt(context.targets[i]!);
    }
  });
  const out = await engine.run({
    tokens,
    batch,
    length,
    positions,
    scored,
    targets,
    score,
    rotary,
  });
  return contexts.map((_, b) => ({
    logProbability: out.logProbability.slice(b * score, b * score + counts[b]!),
    correct: out.correct.slice(b * score, b * score + counts[b]!),
  }));
}
