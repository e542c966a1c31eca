import { z } from 'zod';
import * as format from '../format.js';
import type { ReportLengths } from '../format.js';
import { IntervalSchema, LengthSchema, TokensSchema } from '../schema/values.js';
import {
  type Column,
  natsCell,
  paragraphs,
  plainTable,
  pointsCell,
  type Section,
  type TableBlock,
  type TableCell,
} from '../sections/section.js';
import { defineReported } from './probe.js';

/** The largest difference from `recomputed`, on the same contexts. */
const GapSchema = IntervalSchema.extend({
  tokens: TokensSchema.describe("Length at which it was found, in the user's tokens."),
  probe: z.enum(['short', 'needle']),
});

const DYNAMIC_FORMS = ['recomputed', 'cached', 'static'] as const;

/** Dynamic scaling in one of the forms that implementations use. */
const DynamicFormSchema = z.strictObject({
  form: z
    .enum(DYNAMIC_FORMS)
    .describe(
      'recomputed: all keys and queries have the table of the present length; cached: each key ' +
        'keeps the table of the length at which it was written; static: one table at all lengths.',
    ),
  short: z
    .strictObject({ accuracyChange: IntervalSchema, lossChange: IntervalSchema })
    .describe('At 0.5x and 1x, against the reference.'),
  needle: z.array(
    LengthSchema.extend({
      accuracy: IntervalSchema,
      languageLoss: IntervalSchema,
      lossChange: IntervalSchema,
    }),
  ),
  reach: z.strictObject({
    multiple: z.number(),
    tokens: TokensSchema,
    low: z.number(),
    high: z.number(),
    censored: z.boolean(),
  }),
  gap: z
    .strictObject({ accuracy: GapSchema, loss: GapSchema })
    .optional()
    .describe('This form - `recomputed`; absent on `recomputed` itself.'),
});

const ReadingSchema = z.strictObject({ accuracy: IntervalSchema, languageLoss: IntervalSchema });

const SwitchLengthSchema = z.strictObject({
  tokens: TokensSchema,
  short: ReadingSchema.describe('With the table of lengths up to the switch.'),
  long: ReadingSchema.describe('With the table of lengths above it.'),
});

/** A table that changes abruptly at a length: longrope above `original_max_position_embeddings`. */
const SwitchSchema = z.strictObject({
  tokens: TokensSchema.describe('The longest length that has the short table.'),
  below: SwitchLengthSchema,
  at: SwitchLengthSchema,
  above: SwitchLengthSchema.extend({
    cached: ReadingSchema.describe(
      'Keys up to the switch keep the short table, everything later has the long one.',
    ),
  }),
  recomputed: ReadingSchema.describe('Change: above with the long table - below with the short.'),
  cached: ReadingSchema.describe('Change: above with cached keys - below with the short table.'),
  stale: ReadingSchema.describe('Change: above with cached keys - above with the long table.'),
});

export type DynamicForm = z.infer<typeof DynamicFormSchema>;
export type Gap = z.infer<typeof GapSchema>;
export type Switch = z.infer<typeof SwitchSchema>;
export type Reading = z.infer<typeof ReadingSchema>;

interface Row {
  readonly label: string;
  readonly forms?: readonly DynamicForm[] | undefined;
  readonly switch?: Switch | undefined;
}

/** How a scaling behaves while text is generated: the probes `forms` and `switch`. */
export const serving = defineReported({
  shape: {
    forms: z.array(DynamicFormSchema).optional().describe('Dynamic scalings only.'),
    switch: SwitchSchema.optional().describe('Only where the table jumps at a length (longrope).'),
  },
  sections: servingSections,
});

function servingSections(rows: readonly Row[], report: ReportLengths): readonly Section[] {
  const forms = alike(rows, (row) => row.forms);
  const switches = alike(rows, (row) => row.switch);
  const blocks = [
    ...withNote(
      forms.map(([names, found]) => formsTable(names, found, report)),
      FORMS_NOTE,
    ),
    ...withNote(
      switches.map(([names, found]) => switchTable(names, found)),
      SWITCH_NOTE,
    ),
  ];
  return blocks.map(([table, note], i): Section => ({
    id: `serving-${i + 1}`,
    title: table.name,
    depth: 3,
    blocks: [table, ...paragraphs([note], 'soft')],
  }));
}

function withNote(
  tables: readonly TableBlock[],
  note: string,
): readonly (readonly [TableBlock, note: string])[] {
  return tables.map((table, i) => [table, i < tables.length - 1 ? '' : note]);
}

const FORM_NAMES: Readonly<Record<DynamicForm['form'], string>> = Object.freeze({
  recomputed: 'recomputed',
  cached: 'cached keys',
  static: 'one static table',
});

/** Groups candidates with identical results into one table. */
function alike<T>(
  rows: readonly Row[],
  read: (row: Row) => T | undefined,
): readonly (readonly [names: string, found: T])[] {
  const groups = new Map<string, { labels: string[]; found: T }>();
  for (const row of rows) {
    const found = read(row);
    if (found === undefined) continue;
    const key = JSON.stringify(found);
    const group = groups.get(key) ?? { labels: [], found };
    group.labels.push(format.printable(row.label));
    groups.set(key, group);
  }
  return [...groups.values()].map(({ labels, found }) => [format.list(labels), found]);
}

const FORMS_NOTE =
  'Recomputed: all keys have the table of the present length, as in a prompt that transformers ' +
  'reads at once. Cached keys: each key keeps the table of the length at which it was written, ' +
  'as while text is generated. One static table: that of the target at every length, as emit ' +
  'writes it for vLLM; of a block in the config, that of factor x window. Gap: the largest ' +
  'difference to recomputed up to the target, on the same contexts.';

function formsTable(
  names: string,
  forms: readonly DynamicForm[],
  report: ReportLengths,
): TableBlock {
  const lengths = format.summaryLengths(report);
  const atLengths = lengths.map((length): Column => ({
    title: format.shortTokens(length),
    align: 'right',
    ...(length < report.target.tokens ? { spare: 1 } : {}),
  }));
  return plainTable(
    `${names} as servers do it`,
    ['Form', 'Short loss', ...atLengths, 'Reach', 'Gap, facts', 'Gap, loss'],
    forms.map((form) => [
      FORM_NAMES[form.form],
      natsCell(form.short.lossChange),
      ...lengths.map((length) => {
        const rung = format.rungAt(form, length);
        return rung ? format.percent(rung.accuracy.value) : '';
      }),
      { text: format.reachTokens(form.reach), detail: format.reachEnds(form.reach) },
      form.gap ? gapCell(form.gap.accuracy, pointsCell(form.gap.accuracy)) : '',
      form.gap ? gapCell(form.gap.loss, natsCell(form.gap.loss)) : '',
    ]),
  );
}

function gapCell(gap: Gap, cell: TableCell): TableCell {
  const where = gap.probe === 'short' ? 'short' : format.shortTokens(gap.tokens);
  return { ...cell, text: `${cell.text} at ${where}` };
}

const SWITCH_NOTE =
  'Long factors: everything is computed anew above the switch. Cached keys: keys up to the ' +
  'switch keep the short factors, and queries with the long ones read them. The probe was not ' +
  'trained on the long factors, so their own cost is an upper bound.';

function switchTable(names: string, { tokens, below, at, above, ...change }: Switch): TableBlock {
  const row = (length: number, how: string, read: Reading, changed?: Reading) => [
    `${format.tokens(length)} tokens, ${how}`,
    format.percent(read.accuracy.value),
    read.languageLoss.value.toFixed(2),
    changed ? pointsCell(changed.accuracy) : '',
    changed ? natsCell(changed.languageLoss) : '',
  ];
  return plainTable(
    `${names} at the switch, ${format.tokens(tokens)} tokens`,
    ['Length and table', 'Facts', 'Loss', 'Facts v below', 'Loss v below'],
    [
      row(below.tokens, 'short factors', below.short),
      row(at.tokens, 'short factors', at.short),
      row(above.tokens, 'long factors', above.long, change.recomputed),
      row(above.tokens, 'cached keys', above.cached, change.cached),
    ],
  );
}
