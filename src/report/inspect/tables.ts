import type { CandidateGeometry, CostReport, GroupGeometry } from '../../geometry/schema.js';
import { bytes, multiple, percent, printable, shortTokens, tokens, trim } from '../format.js';
import { bareTable } from '../terminal.js';

const NONE = '–';

/** Scalings against the reference, at the target. */
export function scalingTable({ candidates }: GroupGeometry): string {
  const rows = candidates.map((each) => [
    `${labelCell(each.label)}${each.changed ? '' : ' *'}`,
    multiple(each.maxStretch),
    each.highFrequencyStretch === null ? NONE : multiple(each.highFrequencyStretch),
    trim(each.attentionScaling, 4),
    outsideCell(each),
    each.inRangeUpTo === null ? 'any' : tokens(each.inRangeUpTo),
  ]);
  const head = ['scaling', 'most', 'fast pairs', 'attention', 'pairs outside', 'none outside'];
  const above = ['', 'stretch', 'stretch', 'scaling', 'at the target', 'up to, tokens'];
  return bareTable(
    head.map((word, column) => `${word}\n${above[column] ?? ''}`),
    rows,
    2,
  );
}

const LABEL_WIDTH = 14;

/** A JSON object as a label can be of any length. */
function labelCell(label: string): string {
  const text = printable(label);
  return text.length > LABEL_WIDTH ? `${text.slice(0, LABEL_WIDTH - 1)}…` : text;
}

function outsideCell({ outOfRange }: CandidateGeometry): string {
  if (outOfRange.length === 0) return '0';
  const worst = Math.max(...outOfRange.map(({ excess }) => excess));
  return `${outOfRange.length} (by ${multiple(worst)})`;
}

/** What rounding does to scores at large positions. */
export function driftTable({ reference }: GroupGeometry): string {
  return bareTable(
    ['angles and tables kept in', 'largest error of\nthe mean cosine', 'above 0.01\nfrom position'],
    reference.drift.map(({ arithmetic, worst, firstAbove }) => [
      arithmetic,
      worst === null ? 'overflows' : worst.toExponential(1),
      firstAbove === null ? 'never' : tokens(firstAbove),
    ]),
  );
}

/** The price of each length. */
export function costTable(cost: CostReport): string {
  const withTime = cost.bandwidthGBps !== null;
  const head = ['length', 'KV cache', 'per token', 'prefill', 'decode'];
  const unit = ['', `${cost.dtype}`, '', 'attention', 'attention'];
  return bareTable(
    [...head, ...(withTime ? ['cache read'] : [])].map(
      (word, column) => `${word}\n${unit[column] ?? 'per token'}`,
    ),
    cost.lengths.map((row) => [
      tokens(row.tokens),
      bytes(row.kvBytes),
      bytes(row.kvBytesPerToken),
      multiple(row.prefillMultiple),
      multiple(row.decodeMultiple),
      ...(row.decodeReadMs === null ? [] : [`${trim(row.decodeReadMs, 2)} ms`]),
    ]),
  );
}

export function costNote({ kvBytesPerToken, kvGrowthPerToken, spans }: CostReport): string {
  const local = spans.filter(({ window }) => window !== null);
  if (local.length === 0) return `Every token adds ${bytes(kvBytesPerToken)}.`;
  const windows = local.map(({ count, window }) => `${count} x ${shortTokens(window ?? 0)}`);
  const full = `the windows of the local layers (${windows.join(', ')}) are full`;
  if (kvGrowthPerToken === 0) {
    return `A token adds ${bytes(kvBytesPerToken)} until ${full}, and nothing after that.`;
  }
  const share = kvBytesPerToken === 0 ? 0 : kvGrowthPerToken / kvBytesPerToken;
  return (
    `A token adds ${bytes(kvBytesPerToken)} at first and ${bytes(kvGrowthPerToken)} ` +
    `(${percent(share)}) once ${full}.`
  );
}
