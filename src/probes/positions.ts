import type { Context } from './contexts.js';

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
