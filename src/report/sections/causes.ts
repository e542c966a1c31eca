import { ends, shortTokens, signed, tokens } from '../format.js';
import type { Interval, Parts, Report } from '../schema/report.js';
import type { Cell, Section } from './section.js';

/** Separates a loss at the target into the part of the distances and that of the length. */

const COLUMNS: readonly (readonly [keyof Parts, title: string])[] = Object.freeze([
  ['total', 'Total'],
  ['rope', 'RoPE alone'],
  ['dilution', 'Dilution alone'],
]);

/** Presents the causes. The section is empty if they were not measured, as in the quick preset. */
export function causesSection({ candidates, target }: Report): Section {
  const at = tokens(target.tokens);
  const rows = candidates.flatMap(({ label, parts }) =>
    parts === null
      ? []
      : [
          {
            cells: [{ text: label, name: true }, ...COLUMNS.map(([key]) => causeCell(parts[key]))],
          },
        ],
  );
  return {
    id: 'causes',
    title: `Where the facts’ loss at ${shortTokens(target.tokens)} comes from, nats`,
    depth: 3,
    blocks:
      rows.length === 0
        ? []
        : [
            {
              kind: 'table',
              name: 'RoPE and dilution',
              columns: [
                { title: 'Candidate', align: 'left' },
                ...COLUMNS.map(([, title]) => ({ title, align: 'right' as const })),
              ],
              rows,
            },
            {
              kind: 'text',
              tone: 'soft',
              text:
                `Total: loss on the facts at ${at} tokens, above the reference’s at 1x. ` +
                'RoPE alone: the same distances, but only one trained window of tokens. Dilution alone: as ' +
                'many tokens, squeezed into distances of one trained window. They need not add up: the rest ' +
                'is what the two do together.',
            },
          ],
  };
}

function causeCell(loss: Interval): Cell {
  return { text: signed(loss.value, 2), detail: ends(loss, 1) };
}
