import { list, trim } from '../report/format.js';
import type { Interval } from '../report/schema.js';
import type { BaselineResult } from './baseline.js';
import type { CellPair } from './cells.js';

/** `0.93 before, 0.71 now, change −0.22 (−0.3 to −0.14)` */
export function cellMessage({
  before,
  after,
  change,
}: Pick<CellPair, 'before' | 'after' | 'change'>): string {
  return `${trim(before.value, 4)} before, ${trim(after.value, 4)} now, change ${intervalWords(change)}`;
}

/** `+0.02 (+0.01 to +0.03)` */
export function intervalWords({ value: middle, low, high }: Interval): string {
  return `${plus(middle)} (${plus(low)} to ${plus(high)})`;
}

function plus(number: number): string {
  return `${number > 0 ? '+' : ''}${trim(number, 4)}`;
}

/** What is gone, candidate by candidate: a scaling that was dropped is one problem, not a dozen. */
export function missingByCandidate({ missing, source }: BaselineResult): readonly {
  readonly candidate: string;
  readonly message: string;
}[] {
  const cells = new Map<string, string[]>();
  for (const key of missing) {
    const at = key.lastIndexOf(': ');
    const candidate = key.slice(0, at);
    cells.set(candidate, [...(cells.get(candidate) ?? []), key.slice(at + 2)]);
  }
  return [...cells].map(([candidate, names]) => ({
    candidate,
    message: `${source} has ${list(names)} of ${candidate}, this run has not`,
  }));
}

/** How a run stands against its baseline, and how that was found out. */
export function baselineWords(result: BaselineResult): string {
  const improved = result.cells.filter((cell) => cell.outcome === 'improved').length;
  const within = result.cells.filter((cell) => cell.outcome === 'within-noise').length;
  const parts = [
    `${result.regressed} regressed`,
    `${improved} improved`,
    `${within} changed within their intervals`,
    `${result.cells.filter((cell) => cell.outcome === 'same').length} the same`,
  ];
  const counts = `Against ${result.source}: ${list(parts)}, of ${result.cells.length} cells.`;
  return `${counts} ${methodWords(result.cells)}`.trimEnd();
}

/** How the intervals of the changes were made. */
export function methodWords(cells: readonly Pick<CellPair, 'method'>[]): string {
  if (cells.length === 0) return '';
  const wide = cells.filter((cell) => cell.method === 'intervals').length;
  if (wide === 0) return 'Compared in pairs of contexts.';
  const which = wide === cells.length ? 'Compared' : `${wide} of them compared`;
  return (
    `${which} by the saved intervals alone, which lets small changes pass; a comparison in pairs takes ` +
    'reports of the same 6 contexts or more.'
  );
}
