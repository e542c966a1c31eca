import type { CandidateGeometry, CostReport, GroupGeometry } from '../../geometry/schema.js';
import { bytes, multiple, percent, shortTokens, tokens, trim } from '../format.js';
import { plainTable, type TableBlock } from '../sections/section.js';

const NONE = '–';

/** Scalings against the reference, at the target. */
export function scalingTable({ layerType, candidates }: GroupGeometry): TableBlock {
  const head = [
    { title: 'scaling', narrow: ['scaling', ''], align: 'left' },
    { title: 'most stretch', narrow: ['most', 'stretch'], align: 'right' },
    { title: 'stretch of fast pairs', narrow: ['fast pairs', 'stretch'], align: 'right' },
    { title: 'attention scaling', narrow: ['attention', 'scaling'], align: 'right' },
    {
      title: 'pairs outside at the target',
      narrow: ['pairs outside', 'at the target'],
      align: 'right',
    },
    {
      title: 'none outside up to, tokens',
      narrow: ['none outside', 'up to, tokens'],
      align: 'right',
    },
  ] as const;
  return plainTable(
    `Scalings of ${layerType} against the reference`,
    head,
    candidates.map((each) => [
      { text: `${each.label}${each.changed ? '' : ' *'}`, name: true },
      multiple(each.maxStretch),
      each.highFrequencyStretch === null ? NONE : multiple(each.highFrequencyStretch),
      trim(each.attentionScaling, 4),
      outsideCell(each),
      each.inRangeUpTo === null ? 'any' : tokens(each.inRangeUpTo),
    ]),
  );
}

function outsideCell({ outOfRange }: CandidateGeometry): string {
  if (outOfRange.length === 0) return '0';
  const worst = Math.max(...outOfRange.map(({ excess }) => excess));
  return `${outOfRange.length} (by ${multiple(worst)})`;
}

/** What rounding does to scores at large positions. */
export function driftTable({ reference }: GroupGeometry): TableBlock {
  return plainTable(
    'Rounding',
    [
      'angles and tables kept in',
      {
        title: 'largest error of the mean cosine',
        narrow: ['largest error of', 'the mean cosine'],
        align: 'right',
      },
      {
        title: 'above 0.01 from position',
        narrow: ['above 0.01', 'from position'],
        align: 'right',
      },
    ],
    reference.drift.map(({ arithmetic, worst, firstAbove }) => [
      arithmetic,
      worst === null ? 'overflows' : worst.toExponential(1),
      firstAbove === null ? 'never' : tokens(firstAbove),
    ]),
  );
}

/** The price of each length. */
export function costTable(cost: CostReport): TableBlock {
  const head: readonly (readonly [string, string])[] = [
    ['length', 'tokens'],
    ['KV cache', cost.dtype],
    ['per token', ''],
    ['prefill', 'attention'],
    ['decode', 'attention'],
    ...(cost.bandwidthGBps === null ? [] : [['cache read', 'per token'] as const]),
  ];
  return plainTable(
    'What each length costs',
    head.map((narrow, i) => ({
      title: narrow.join(' ').trim(),
      narrow,
      align: i === 0 ? 'left' : 'right',
    })),
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
