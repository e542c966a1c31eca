import { ENCODINGS } from '../../encodings/index.js';
import { multiple, tokens, trim } from '../format.js';
import type { EncodingRow, EncodingsReport } from '../encodings-schema.js';

/** `RoPE, yarn:4`, `RoPE, unscaled`, `ALiBi` */
export function rowTitle({ encoding, scaling }: EncodingRow): string {
  if (encoding === 'rope') return `RoPE, ${scaling ?? 'unscaled'}`;
  return ENCODINGS[encoding].title;
}

/** `≥ 8x`, `2x`, `below 1x`; a row that finds nothing at 1x has no reach. */
export function reachWords({ reach }: EncodingRow): string {
  if (reach === null) return 'chance at 1x';
  if (reach.multiple === 0) return 'below 1x';
  return `${reach.censored ? '≥ ' : ''}${multiple(reach.multiple)}`;
}

/** What a table of encodings has to be read with. */
export function notes({ settings, chance, rows }: EncodingsReport): string[] {
  if (rows.length === 0) return [];
  const window = settings.ladder[0]!.tokens;
  const longest = settings.ladder.at(-1)!;
  const ending = rows.filter((row) => row.entries !== null);
  return [
    `Every row is the same small model on ${tokens(window)} tokens, trained on from RoPE’s weights ` +
      `where it is another; only what it is told of positions differs. ${multiple(longest.multiple)} is ${tokens(longest.tokens)} tokens.`,
    `Facts: share found, asked at all distances (guessing: ${trim(chance * 100, 1)} %). Loss: of ` +
      `running text, nats above the source’s own; change: against the same weights, unscaled, on the ` +
      `same text with one window before it. Reach: the largest length at which every distance ` +
      `keeps half of the facts found at 1x.`,
    ...ending.map(
      (row) =>
        `no entry: ${rowTitle(row)} has a table of ${tokens(row.entries!)} positions and cannot be ` +
        `asked beyond it.`,
    ),
    `Preset ${settings.preset}, seed ${settings.seed}, ${settings.contexts.long} contexts with facts, ` +
      `${settings.contexts.longText} of text.`,
  ];
}

/** Why a model without RoPE has no row, or which rows were not finished. */
export function statusWords({ status, config }: EncodingsReport): string[] {
  const missing =
    config?.twin === null
      ? ['None of the bundled twins has this model’s way of telling positions.']
      : [];
  return status === 'complete' ? missing : [...missing, 'Interrupted: the finished rows only.'];
}
