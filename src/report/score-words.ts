import { nats, printable } from './format.js';
import type { Report } from './schema.js';

/** What candidates are ranked by, best first; '' where nothing has a score. */
export function scoreWords({ candidates }: Report): string {
  const scored = candidates.flatMap(({ label, score }) =>
    score === null ? [] : [{ label, score }],
  );
  if (scored.length === 0) return '';
  const ranked = scored.toSorted((a, b) => a.score - b.score);
  const list = ranked.map(({ label, score }) => `${printable(label)} ${nats(score)}`).join(', ');
  return `Score, the mean loss over the lengths from 1x to the target (lower is better): ${list}.`;
}
