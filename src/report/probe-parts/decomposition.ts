import { z } from 'zod';
import { ends, type ReportLengths, shortTokens, signed, tokens } from '../format.js';
import { type Interval, IntervalSchema } from '../schema/values.js';
import { paragraphs, plainTable, type Section, type TableCell } from '../sections/section.js';
import { defineReported } from './probe.js';

/** Causes of the loss of facts at the target; see docs/report.md. */
const PartsSchema = z.strictObject({
  total: IntervalSchema.describe("facts' loss at the target - the reference's at 1x, nats"),
  rope: IntervalSchema.describe(
    "the same in `stretched`: the target's distances, one window of tokens",
  ),
  dilution: IntervalSchema.describe(
    "the same in `squeezed`: the target's tokens, one window of distances",
  ),
});

export type LossParts = z.infer<typeof PartsSchema>;

interface Row {
  readonly label: string;
  readonly parts: LossParts | null;
}

/** Separates a loss at the target into the part of the distances and that of the length. */
export const decomposition = defineReported({
  shape: {
    /** null: not measured (quick preset, or a target inside the window). */
    parts: PartsSchema.nullable(),
  },
  sections: (rows: readonly Row[], report: ReportLengths) => [causesSection(rows, report)],
});

const COLUMNS: readonly (readonly [keyof LossParts, title: string])[] = Object.freeze([
  ['total', 'Total'],
  ['rope', 'RoPE alone'],
  ['dilution', 'Dilution alone'],
]);

/** Presents the causes. The section is empty if they were not measured, as in the quick preset. */
function causesSection(candidates: readonly Row[], { target }: ReportLengths): Section {
  const head = ['Candidate', ...COLUMNS.map(([, title]) => title)];
  const rows = candidates.flatMap(({ label, parts }) =>
    parts === null
      ? []
      : [[{ text: label, name: true }, ...COLUMNS.map(([key]) => causeCell(parts[key]))]],
  );
  const note =
    `Total: loss on the facts at ${tokens(target.tokens)} tokens, above the reference’s at 1x. ` +
    'RoPE alone: the same distances, but only one trained window of tokens. Dilution alone: as ' +
    'many tokens, squeezed into distances of one trained window. They need not add up: the rest ' +
    'is what the two do together.';
  return {
    id: 'causes',
    title: `Where the facts’ loss at ${shortTokens(target.tokens)} comes from, nats`,
    depth: 3,
    blocks: [plainTable('RoPE and dilution', head, rows), ...paragraphs([note], 'soft')],
  };
}

function causeCell(loss: Interval): TableCell {
  return { text: signed(loss.value, 2), detail: ends(loss, 1) };
}
