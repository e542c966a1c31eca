import type { CellName } from '../gate/cells.js';
import type { ComparedCell, Comparison } from '../gate/compare.js';
import { intervalWords, methodWords } from '../gate/words.js';
import { trim } from '../report/format.js';
import type { Report } from '../report/schema/report.js';
import { honestyWords } from '../report/sections/conditions.js';
import {
  paragraphs,
  plainTable,
  type Section,
  type TableBlock,
} from '../report/sections/section.js';
import { flagOf } from './failure.js';

/** Draws a comparison for people: what differs between the runs, then the largest changes. */
export function compareSections(
  comparison: Comparison,
  report: Pick<Report, 'subject'>,
): readonly Section[] {
  const { before, after, cells } = comparison;
  const moved = cells.filter((cell) => cell.change.value !== 0);
  const clear = moved.filter((cell) => cell.clear);
  const shown = clear.length > 0 ? clear : moved.slice(0, FEW);
  return [
    { id: 'reports', depth: 2, blocks: paragraphs([`before ${before}`, `after  ${after}`]) },
    conditionsSection(comparison),
    { id: 'cells', depth: 2, blocks: [table(shown)] },
    {
      id: 'summary',
      depth: 2,
      blocks: paragraphs([summary(comparison, moved.length, clear.length)]),
    },
    {
      id: 'only',
      depth: 2,
      blocks: paragraphs([
        only('Only before', comparison.onlyBefore),
        only('Only after', comparison.onlyAfter),
      ]),
    },
    { id: 'honesty', depth: 2, blocks: paragraphs([honestyWords(report)]) },
  ];
}

/** The number of changes to show if no interval confirms any of them. */
const FEW = 10;

function summary({ cells }: Comparison, moved: number, clear: number): string {
  if (cells.length === 0) return 'The reports have no cell in common.';
  if (moved === 0) return `All ${cells.length} cells are the same.`;
  return (
    `${clear} of ${cells.length} cells changed by more than their intervals, ` +
    `${moved - clear} within them, ${cells.length - moved} are the same (${flagOf('json')} has all). ${methodWords(cells)}`
  );
}

function conditionsSection({ differences, paired }: Comparison): Section {
  const head =
    differences.length > 0
      ? 'The runs differ, so that cells are not paired; lengths are compared as multiples of each trained window where those differ:'
      : 'Two different configs under the same conditions.';
  const items = differences.map(({ what, before, after }) => `${what}: ${before} | ${after}`);
  return {
    id: 'conditions',
    depth: 2,
    blocks: paired ? [] : [...paragraphs([head], 'warn'), { kind: 'list', items }],
  };
}

function table(cells: readonly ComparedCell[]): TableBlock {
  return plainTable(
    'Changed cells',
    ['candidate', { title: 'cell', align: 'left' }, 'before', 'after', 'change (95 % interval)'],
    cells.map((cell) => {
      const good = cell.change.value > 0 === (cell.better === 'higher');
      return [
        { text: cell.candidate, name: true },
        cell.cell,
        trim(cell.before.value, 4),
        trim(cell.after.value, 4),
        { text: intervalWords(cell.change), tone: !cell.clear ? 'soft' : good ? 'good' : 'bad' },
      ];
    }),
  );
}

function only(title: string, cells: readonly CellName[]): string {
  const candidates = [...new Set(cells.map(({ candidate }) => candidate))];
  if (candidates.length === 0) return '';
  return `${title}: ${cells.length} cells of ${candidates.join(', ')}.`;
}
