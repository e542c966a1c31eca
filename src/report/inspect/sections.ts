import type { CandidateGeometry, CostReport, GroupGeometry } from '../../geometry/schema.js';
import { sameSentences } from '../fingerprint.js';
import {
  counted,
  bytes,
  multiple,
  percent,
  printable,
  shortTokens,
  tokens,
  trim,
} from '../format.js';
import { decayChart, spectrumChart } from '../plots.js';
import type { InspectData } from '../schema/inspect.js';
import { findingLines, findingsSection, mostSerious } from '../sections/findings.js';
import {
  type Block,
  type Column,
  numberColumn,
  paragraphs,
  plainTable,
  type Section,
  type TableBlock,
} from '../sections/section.js';
import * as sentences from './sentences.js';

/**
 * Presents `rope-eval inspect` on one screen: what the model does with positions, what its weights
 * know, how far that reaches, what the length costs and what is wrong. Tables and charts are in the
 * details.
 */
export function inspectAnswer(data: InspectData): readonly Section[] {
  const { source } = data;
  const model = modelTitle(data);
  return [
    {
      id: 'model',
      title: source === null ? model : `${model}  ${source}`,
      blocks: paragraphs([sentences.withoutRope(data), ...sentences.modelSentences(data)]),
    },
    prose('tables', sentences.lengthSentences(data), 'The tables at the length asked for'),
    prose('length', [...weightsSentences(data), ...reachSentences(data), costSentence(data)]),
    prose('export', sameSentences(data.exported)),
    { id: 'findings', blocks: closingBlocks(data) },
  ];
}

function prose(id: string, lines: readonly string[], title?: string): Section {
  return { id, ...(title !== undefined && { title }), blocks: paragraphs(lines) };
}

function weightsSentences({ reference }: InspectData): readonly string[] {
  if (reference === null) return [];
  const { kind, trainedWindow } = reference;
  const alternative = sentences.otherReading(reference);
  const other =
    alternative === null
      ? ''
      : `; the other reading: --reference ${alternative.kind} ` +
        `--trained-window ${alternative.trainedWindow}`;
  return [`The weights are taken to know ${sentences.readingName(kind, trainedWindow)}${other}.`];
}

/** A critical fraction of 0 or below means that the slowest frequency turns too. */
function slowShare(criticalFraction: number): string {
  return criticalFraction > 0
    ? `${percent(criticalFraction)} of the frequency range never turns`
    : 'every frequency turns';
}

/** Says how far each scaling keeps the farthest-looking layers within trained angles. */
function reachSentences(data: InspectData): readonly string[] {
  const { geometry, reference } = data;
  const group = geometry?.groups.find(({ span }) => span.kind === 'global');
  if (!geometry || !group || !reference) {
    return geometry
      ? ['No layer that rotates looks farther than its window: no scaling helps.']
      : [];
  }
  const { criticalFraction } = group.reference;
  const slow =
    criticalFraction === null
      ? ''
      : `${slowShare(criticalFraction)} fully in training ` +
        `(critical fraction ${trim(criticalFraction, 3)}); `;
  // The config's base frequencies are left to the details, because nobody serves them.
  const shown = group.candidates.filter(
    ({ label }) => label !== 'none' || data.shown.scaling === label,
  );
  return shown.map((candidate) => {
    const range = rangeWords(candidate, geometry.target);
    return candidate.changed
      ? `${scalingWords(candidate)}: ${range}.`
      : `${candidate.label}: ${slow}${range}.`;
  });
}

function scalingWords({ label, maxStretch, attentionScaling }: CandidateGeometry): string {
  const turns =
    maxStretch > 1
      ? `pairs turn up to ${multiple(maxStretch)} slower`
      : maxStretch < 1
        ? `pairs turn at least ${multiple(1 / maxStretch)} faster`
        : 'no pair turns slower';
  const attention =
    attentionScaling === 1 ? '' : `, attention scaling ${trim(attentionScaling, 4)}`;
  return `${label} (${turns} than the weights know${attention})`;
}

function rangeWords({ outOfRange, inRangeUpTo }: CandidateGeometry, target: number): string {
  if (inRangeUpTo === null) return 'no length brings a pair out of its trained angles';
  const within = `every pair stays in its trained angles up to ${tokens(inRangeUpTo)} tokens`;
  if (outOfRange.length === 0) return within;
  const pairs = outOfRange.length === 1 ? '1 leaves' : `${outOfRange.length} leave`;
  const most = Math.max(...outOfRange.map(({ excess }) => excess));
  return `${within}; at ${tokens(target)}, ${pairs} them, by up to ${multiple(most)}`;
}

function costSentence({ cost, geometry }: InspectData): string {
  const at = (length: number) => cost?.lengths.find((each) => each.tokens === length);
  const [before, after] = [at(geometry?.trainedWindow ?? 0), at(geometry?.target ?? 0)];
  if (!cost || !before || !after) return '';
  const time =
    after.decodeReadMs === null ? '' : `, read in ${trim(after.decodeReadMs, 2)} ms a token`;
  return (
    `KV cache of one sequence (${cost.dtype}): ${bytes(before.kvBytes)} at ${tokens(before.tokens)} ` +
    `tokens, ${bytes(after.kvBytes)} at ${tokens(after.tokens)}${time}. ${costNote(cost)}`
  );
}

/** How far to trust what is shown, and who says more. */
const TRUST =
  'Exact, by rules checked against transformers; rope-eval CONFIG measures costs on probe models, ' +
  '--model on your weights.';

function closingBlocks(data: InspectData): readonly Block[] {
  const lines = findingLines(data.findings);
  const shown = mostSerious(lines);
  const left = lines.length - shown.lines.length;
  const more = left > 0 ? `${counted(left, 'more finding')}, ` : '';
  const rest = `--details: ${more}tables, charts, evidence.`;
  return [
    shown,
    { kind: 'text', tone: 'soft', text: data.encoding === 'rope' ? `${TRUST} ${rest}` : '' },
  ];
}

export interface InspectWords {
  /** Words the evidence behind the reference; default: the key of its row in the table. */
  readonly evidenceWords?: (evidence: string) => string;
}

/** Presents `rope-eval inspect --details`: sentences first, then numbers. */
export function inspectSections(data: InspectData, words: InspectWords = {}): readonly Section[] {
  const { evidenceWords = (evidence: string) => evidence } = words;
  return [
    headSection(data),
    prose('positions', sentences.modelSentences(data), 'What it does with positions'),
    prose('tables', sentences.lengthSentences(data), 'The tables at the length asked for'),
    prose('export', sameSentences(data.exported), 'The export'),
    prose('weights', sentences.referenceSentences(data, evidenceWords), 'What the weights know'),
    ...geometrySections(data),
    ...costSections(data),
    findingsSection(data.findings, 'Findings'),
  ];
}

function headSection(data: InspectData): Section {
  return {
    id: 'model',
    title: modelTitle(data),
    depth: 1,
    blocks: paragraphs([data.source ?? '', sentences.withoutRope(data)]),
  };
}

function modelTitle({ modelType, architecture }: InspectData): string {
  const name = architecture ?? modelType;
  return name === modelType ? name : `${name} (${modelType})`;
}

function geometrySections(data: InspectData): readonly Section[] {
  const { geometry } = data;
  const first = geometry?.groups[0];
  if (geometry === null || first === undefined) return [];
  // A local layer that no scaling reaches has nothing to compare.
  const told = geometry.groups.filter(
    (group) => group.span.kind === 'global' || group.candidates.some(({ changed }) => changed),
  );
  const several = geometry.groups.length > 1;
  return [
    {
      id: 'target',
      title: `At ${tokens(geometry.target)} tokens, ${multiple(geometry.target / geometry.trainedWindow)} the trained window`,
      blocks: [
        ...told.flatMap((group) => [
          ...paragraphs(several ? [group.layerType] : []),
          scalingTable(group),
        ]),
        ...paragraphs([
          told.length === 0 ? '' : sentences.tableNote(geometry),
          ...sentences.boundSentences(data),
          ...sentences.warningSentences(data),
        ]),
      ],
    },
    {
      id: 'rounding',
      title: 'What rounding does to the scores',
      blocks: [driftTable(first), ...paragraphs([sentences.DRIFT])],
    },
    ...told.flatMap(pictures),
  ];
}

function pictures(
  group: NonNullable<InspectData['geometry']>['groups'][number],
): readonly Section[] {
  const { layerType, trainedRange, targetRange } = group;
  const drawn = [
    { label: 'reference', ...group.reference },
    ...group.candidates.filter(({ changed }) => changed),
  ].map(({ label, ...table }) => ({ label: printable(label), ...table }));
  const turns = drawn.map(({ label, rotationsTrained }) => ({
    label,
    rotations: rotationsTrained,
  }));
  const curves = drawn.map(({ label, decay }) => ({ label, points: decay }));
  return [
    {
      id: `turns-${layerType}`,
      title: `Turns of each pair: ${layerType}`,
      blocks: [
        {
          kind: 'plot',
          draw: (width, style) =>
            spectrumChart({ series: turns, trainedRange, targetRange, width, style }),
        },
      ],
    },
    {
      id: `decay-${layerType}`,
      title: `Mean cosine against distance: ${layerType}`,
      blocks: [
        {
          kind: 'plot',
          draw: (width, style) => decayChart({ series: curves, trainedRange, width, style }),
        },
      ],
    },
  ];
}

function costSections({ cost }: InspectData): readonly Section[] {
  if (cost === null) return [];
  return [
    {
      id: 'cost',
      title: 'What the length costs, for one sequence',
      blocks: [costTable(cost), ...paragraphs([costNote(cost)])],
    },
  ];
}

const NONE = '–';

/** Compares scalings with the reference, at the target. */
export function scalingTable({ layerType, candidates }: GroupGeometry): TableBlock {
  const head: readonly Column[] = [
    { title: 'scaling', narrow: ['scaling', ''], align: 'left' },
    numberColumn('most stretch', ['most', 'stretch']),
    numberColumn('stretch of fast pairs', ['fast pairs', 'stretch']),
    numberColumn('attention scaling', ['attention', 'scaling']),
    numberColumn('pairs outside at the target', ['pairs outside', 'at the target']),
    numberColumn('none outside up to, tokens', ['none outside', 'up to, tokens']),
  ];
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

/** Shows what rounding does to scores at large positions. */
export function driftTable({ reference }: GroupGeometry): TableBlock {
  return plainTable(
    'Rounding',
    [
      'angles and tables kept in',
      numberColumn('largest error of the mean cosine', ['largest error of', 'the mean cosine']),
      numberColumn('above 0.01 from position', ['above 0.01', 'from position']),
    ],
    reference.drift.map(({ arithmetic, worst, firstAbove }) => [
      arithmetic,
      worst === null ? 'overflows' : worst.toExponential(1),
      firstAbove === null ? 'never' : tokens(firstAbove),
    ]),
  );
}

/** Shows the cost of each length. */
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

/** Explains how the KV cache grows with each token. */
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
