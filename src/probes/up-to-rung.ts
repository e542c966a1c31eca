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
