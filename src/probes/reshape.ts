import type { Context } from './contexts.js';

/** A context cut behind one of its rungs: no more of it is read, and nothing farther is asked. */
export function upToRung(context: Context, rung: number, end: number): Context {
  const kept = context.items.flatMap((item, i) => (item.rung <= rung ? [i] : []));
  const pick = <T>(list: readonly T[]): T[] => kept.map((i) => list[i]!);
  return {
    ...context,
    tokens: context.tokens.slice(0, end),
    rows: pick(context.rows),
    targets: pick(context.targets),
    items: pick(context.items),
    facts: context.facts.filter(({ to }) => to <= end),
  };
}

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

/**
 * Takes the two things apart that a longer context brings, both on the model's own window:
 *
 * - `stretched`: as many tokens as the window, but far apart: the facts and the questions stand
 *   where they would stand in a context `multiple` times as long, the gaps between them are gaps
 *   in the position ids. What is lost here, RoPE loses.
 * - `squeezed`: the tokens of the long context, but no long distances: everything but facts and
 *   questions stands at fractional positions, so that the whole fits into the window. What is lost
 *   here is lost to attention over more tokens (dilution).
 */

/** A context of one window, its facts moved apart by position ids. */
export function stretched(context: Context, multiple: number): Context {
  const positions: number[] = [];
  let offset = 0;
  const questions = context.facts.find((f) => f.asked)?.from ?? context.tokens.length;
  const starts = new Set(context.facts.filter((f) => !f.asked).map((f) => f.from));
  for (let i = 0; i < context.tokens.length; i++) {
    // The gap falls before a fact or before the questions, never inside one.
    if (starts.has(i) || i === questions) offset = Math.round((multiple - 1) * i);
    positions.push(i + offset);
  }
  return { ...context, positions };
}

/** A long context whose filler is pressed together until the whole spans `window` positions. */
export function squeezed(context: Context, window: number): Context {
  const whole = new Uint8Array(context.tokens.length);
  for (const { from, to } of context.facts) whole.fill(1, from, to);
  const kept = whole.reduce((a, b) => a + b, 0);
  const filler = context.tokens.length - kept;
  const step = Math.max(0, (window - kept) / Math.max(1, filler));
  const positions: number[] = [];
  let at = 0;
  for (let i = 0; i < context.tokens.length; i++) {
    positions.push(at);
    // A token's own width: whole inside facts, a fraction elsewhere.
    at += whole[i] ? 1 : Math.min(1, step);
  }
  return { ...context, positions };
}
