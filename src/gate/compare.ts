import type { Report } from '../report/schema.js';
import { cellsOf, NOISE, pairOf, type Cell, type CellPair } from './cells.js';
import { differencesOf, type Difference } from './comparable.js';

export interface ComparedCell extends CellPair {
  readonly better: 'higher' | 'lower';
  /** The whole interval of the change lies on one side of 0. */
  readonly clear: boolean;
}

export interface Comparison {
  readonly before: string;
  readonly after: string;
  /** Same model, probe and settings: cells are paired; otherwise only shares and multiples are. */
  readonly paired: boolean;
  readonly differences: readonly Difference[];
  /** Largest clear change first. */
  readonly cells: readonly ComparedCell[];
  /** Named in one report only. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

/**
 * Two saved reports side by side. Reports of different models are compared on what keeps its
 * meaning between them: changes against each one's own reference, and lengths as multiples of each
 * one's trained window.
 */
export function compareReports(
  before: Report,
  after: Report,
  names: { readonly before: string; readonly after: string },
): Comparison {
  const differences = differencesOf(before, after);
  const paired = differences.length === 0 && before.config.sha256 === after.config.sha256;
  const sameWindow = before.reference.trainedWindow === after.reference.trainedWindow;
  const was = indexed(before, sameWindow);
  const now = indexed(after, sameWindow);
  const cells: ComparedCell[] = [];
  for (const [key, old] of was) {
    const match = now.get(key);
    if (match) cells.push(compareCells(old, match));
  }
  return {
    ...names,
    paired,
    differences,
    cells: cells.sort((a, b) => Number(b.clear) - Number(a.clear) || weight(b) - weight(a)),
    onlyBefore: [...was.keys()].filter((key) => !now.has(key)),
    onlyAfter: [...now.keys()].filter((key) => !was.has(key)),
  };
}

/** Cells by `candidate: name`; lengths become multiples where the windows differ. */
function indexed(report: Report, sameWindow: boolean): Map<string, Cell> {
  const window = report.reference.trainedWindow;
  return new Map(
    cellsOf(report).map((cell) => {
      const name = sameWindow ? cell.name : inMultiples(cell.name, window);
      return [`${cell.candidate}: ${name}`, { ...cell, name }];
    }),
  );
}

function inMultiples(name: string, window: number): string {
  return name.replace(/@(\d+)$/, (_, tokens: string) => {
    return `@${Number((Number(tokens) / window).toFixed(3))}x`;
  });
}

function compareCells(before: Cell, after: Cell): ComparedCell {
  const both = pairOf(before, after);
  const { low, high } = both.change;
  return { ...both, better: before.better, clear: low > NOISE || high < -NOISE };
}

/** Share of the larger of the two values, so that nats, shares and multiples can be ordered. */
function weight(cell: ComparedCell): number {
  const scale = Math.max(Math.abs(cell.before.value), Math.abs(cell.after.value));
  return scale === 0 ? 0 : Math.abs(cell.change.value) / Math.max(scale, 0.01);
}
