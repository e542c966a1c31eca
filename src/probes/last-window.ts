import type { Context } from './contexts.js';

/**
 * The text of one rung again, with no more than a trained window before it: what the reference
 * makes of the very same tokens at a length that it knows. The head stays, or it would lack what
 * the document says once.
 *
 * @param end length of the rung, @param window trained window, both in probe tokens
 */
export function lastWindow(context: Context, rung: number, end: number, window: number): Context {
  const stop = Math.max(end, window);
  const start = stop - window;
  const { head } = context;
  const kept = context.items.flatMap((item, i) =>
    item.rung === rung && context.rows[i]! >= start + head ? [i] : [],
  );
  return {
    tokens: [...context.tokens.slice(0, head), ...context.tokens.slice(start + head, stop)],
    head,
    rows: kept.map((i) => context.rows[i]! - start),
    targets: kept.map((i) => context.targets[i]!),
    items: kept.map((i) => ({ ...context.items[i]!, rung: 0 })),
    chance: 0,
    facts: [],
  };
}
