import { z } from 'zod';
import * as format from '../format.js';
import { TokensSchema } from '../schema/values.js';
import type { Section } from '../sections/section.js';
import { defineReported } from './probe.js';

/** The same text at later positions. Only relative distances should matter. */
const OffsetSchema = z.strictObject({
  shift: z.strictObject({
    tokens: TokensSchema.describe("In the user's tokens."),
    probeTokens: z.number().int(),
  }),
  maxDrift: z.number().describe('Largest change of a log-probability, nats.'),
  rmsDrift: z.number().describe('Root mean square of the changes, nats.'),
  verdict: z
    .enum(['none', 'drifts', 'by-definition'])
    .describe('by-definition: only because the table depends on the length.'),
});

export type Offset = z.infer<typeof OffsetSchema>;

interface Row {
  readonly label: string;
  readonly offset?: Offset | undefined;
}

/** Checks that a text scores the same at every position. */
export const offset = defineReported({
  shape: { offset: OffsetSchema.optional().describe('Not in the quick preset.') },
  sections: (rows: readonly Row[]): readonly Section[] => [
    { id: 'offset', depth: 3, blocks: [{ kind: 'text', tone: 'soft', text: offsetWords(rows) }] },
  ],
});

/** Says in one line whether a text scores the same at later positions; '' = not measured. */
function offsetWords(rows: readonly Row[]): string {
  const found = rows.flatMap(({ label, offset }) =>
    offset ? [{ name: format.printable(label), ...offset }] : [],
  );
  const [first] = found;
  if (!first) return '';
  const of = (verdict: (typeof first)['verdict']) => found.filter((f) => f.verdict === verdict);
  const largest = (list: typeof found): number => Math.max(...list.map((f) => f.maxDrift));
  const [same, defined, wrong] = [of('none'), of('by-definition'), of('drifts')];
  const names = (list: typeof found): string => format.list(list.map((f) => f.name));
  const sentences = [
    same.length > 0 &&
      `${same.length === found.length ? 'no candidate changes' : 'the others do not change'} ` +
        `(${size(largest(same))} nats at most, rounding)`,
    defined.length > 0 &&
      `${names(defined)} ${defined.length > 1 ? 'change' : 'changes'} by definition, as the table ` +
        `follows the length (up to ${size(largest(defined))} nats)`,
    wrong.length > 0 &&
      `${names(wrong)} ${wrong.length > 1 ? 'drift' : 'drifts'} by up to ` +
        `${size(largest(wrong))} nats, a defect`,
  ].filter((sentence) => sentence !== false);
  const shift = `${format.tokens(first.shift.tokens)} tokens further on`;
  return `Offset: where the same text stands ${shift}, ${sentences.reverse().join('; ')}.`;
}

function size(drift: number): string {
  return drift < 0.001 ? Math.max(drift, 0.00001).toFixed(5) : drift.toPrecision(2);
}
