import { nats, printable } from './format.js';
import type { CandidateReport, Report } from './schema.js';

/** Those that have a score, best first. */
export function ranked(
  candidates: readonly CandidateReport[],
): readonly { readonly label: string; readonly score: number; readonly outOfRange: number }[] {
  return candidates
    .flatMap(({ label, score, scoreParts }) =>
      score === null ? [] : [{ label, score, outOfRange: scoreParts?.outOfRange ?? 0 }],
    )
    .sort((a, b) => a.score - b.score);
}

/** Nats that three decimals show. */
const SHOWN = 0.0005;

/** What candidates are ranked by, best first; '' where nothing has a score. */
export function scoreWords({ candidates }: Report): string {
  const scored = ranked(candidates);
  if (scored.length === 0) return '';
  const list = scored.map(({ label, score, outOfRange }) => {
    const part = outOfRange < SHOWN ? '' : ` (${outOfRange.toFixed(3)} of it out of range)`;
    return `${printable(label)} ${nats(score)}${part}`;
  });
  return `Score, the mean loss over the lengths from 1x to the target plus what leaves the trained range (lower is better): ${list.join(', ')}.`;
}
