import { ends, shortTokens, signed, tokens } from '../format.js';
import type { CandidateReport, Interval, Parts, Report } from '../schema/report.js';

/** Whether a loss at the target comes from the distances or from the number of tokens, in words. */

/** The columns, in every form. */
export const PARTS_COLUMNS: readonly (readonly [keyof Parts, head: string])[] = Object.freeze([
  ['total', 'total'],
  ['rope', 'RoPE alone'],
  ['dilution', 'dilution alone'],
]);

export interface PartsRow {
  readonly candidate: CandidateReport;
  readonly parts: Parts;
}

/** Candidates for which it was measured; the quick preset measures none. */
export function partsRows({ candidates }: Report): readonly PartsRow[] {
  return candidates.flatMap((candidate) =>
    candidate.parts === null ? [] : [{ candidate, parts: candidate.parts }],
  );
}

export function partsTitle({ target }: Report): string {
  return `Where the facts’ loss at ${shortTokens(target.tokens)} comes from, nats`;
}

export function partsNote({ target }: Report): string {
  return (
    `Total: loss on the facts at ${tokens(target.tokens)} tokens, above the reference’s at 1x. ` +
    'RoPE alone: the same distances, but only one trained window of tokens. Dilution alone: as ' +
    'many tokens, squeezed into distances of one trained window. They need not add up: the rest ' +
    'is what the two do together.'
  );
}

export function partValue({ value }: Interval): string {
  return signed(value, 2);
}

export function partEnds(interval: Interval): string {
  return ends(interval, 1);
}
