import { nats, printable } from './format.js';
import type { CandidateReport, Report } from './schema.js';

/** Those that have a score, best first. */
export function ranked(
  candidates: readonly CandidateReport[],
): readonly { readonly label: string; readonly score: number }[] {
  return candidates
    .flatMap(({ label, score }) => (score === null ? [] : [{ label, score }]))
    .sort((a, b) => a.score - b.score);
}

/** What candidates are ranked by, best first; '' where nothing has a score. */
export function scoreWords({ candidates }: Report): string {
  const scored = ranked(candidates);
  if (scored.length === 0) return '';
  const list = scored.map(({ label, score }) => `${printable(label)} ${nats(score)}`).join(', ');
  return `Score, the mean loss over the lengths from 1x to the target (lower is better): ${list}.`;
}
