import type { Fingerprint, FingerprintDiff, GroupFingerprint } from '../geometry/fingerprint.js';
import type { ExportReport } from '../subjects/schema.js';
import { printable, tokens, trim } from './format.js';
import {
  paragraphs,
  plainTable,
  type Section,
  type TableBlock,
  textSection,
} from './sections/section.js';

/** Number of pairs to show at each end of a table. */
const SHOWN = 4;

/** Presents the output of `rope-eval fingerprint`. */
export function fingerprintSections(fingerprint: Fingerprint): readonly Section[] {
  const length =
    fingerprint.sequenceLength === null ? '' : `, at ${tokens(fingerprint.sequenceLength)} tokens`;
  return [
    { id: 'model', depth: 1, title: `${fingerprint.modelType}${length}`, blocks: [] },
    ...fingerprint.groups.map((group, i): Section => ({
      id: `group-${i + 1}`,
      title: `${group.layerType}: ${group.ropeType}, ${group.layers.length} layers`,
      blocks: [
        ...paragraphs([
          `sha256 ${group.hash}`,
          `attention scaling ${group.attentionScaling}, ${group.invFreq.length} pairs, ${group.layout} layout`,
        ]),
        frequencyTable(group),
        cosineTable(group),
      ],
    })),
    textSection('note', [
      'The cosine compares with the base frequencies at one position: 1 = the same rotation. ' +
        '--json prints every frequency; --diff compares with an engine.',
    ]),
  ];
}

function frequencyTable({ invFreq }: GroupFingerprint): TableBlock {
  const rows = [...invFreq.entries()].filter(
    ([pair]) => pair < SHOWN || pair >= invFreq.length - SHOWN,
  );
  return plainTable(
    'Frequencies',
    ['pair', 'radians per token', 'tokens per turn'],
    rows.map(([pair, frequency]) => [
      String(pair),
      frequency.toExponential(7),
      frequency > 0 ? trim((2 * Math.PI) / frequency, 1) : 'stands still',
    ]),
  );
}

function cosineTable({ versusUnscaled }: GroupFingerprint): TableBlock {
  return plainTable(
    'Against the base frequencies',
    ['position', 'cosine to unscaled'],
    versusUnscaled.map(({ position, cosine }) => [tokens(position), cosine.toFixed(4)]),
  );
}

/** Presents the tables of an exported graph beside those of the config. */
export function exportSections(exported: ExportReport): readonly Section[] {
  return [
    {
      id: 'export',
      title: 'The export',
      blocks: paragraphs(exportSentences(exported)),
    },
  ];
}

/** Describes each table in one sentence. */
export function exportSentences({ name, producer, tables }: ExportReport): readonly string[] {
  const file = `${printable(name)}${producer ? ` (${printable(producer)})` : ''}`;
  return tables.map((table) => {
    const which = tables.length === 1 ? '' : `, ${table.layerType} layers`;
    return `${file}${which} ${tableWords(table)}`;
  });
}

/** Describes only the tables that agree with the config. Findings report the others. */
export function sameSentences(exported: ExportReport | undefined): readonly string[] {
  if (exported === undefined) return [];
  return exportSentences({ ...exported, tables: exported.tables.filter(({ same }) => same) });
}

function tableWords({ same, looksLike, difference, positions }: ExportReport['tables'][number]) {
  if (same)
    return `runs with the table that the config names: the same at ${tokens(positions)} positions.`;
  if (looksLike === 'unscaled')
    return 'runs without the scaling that the config names: its table is that of the base frequencies.';
  return `runs with another table than the config names: cos and sin differ by up to ${difference.toPrecision(2)}.`;
}

const LOOKS_LIKE: Readonly<Record<NonNullable<FingerprintDiff['looksLike']>, string>> =
  Object.freeze({
    unscaled: 'They are the base frequencies: the engine does not apply this scaling.',
    'bfloat16 frequencies': 'They are the right frequencies rounded to bfloat16.',
    'float16 frequencies': 'They are the right frequencies rounded to float16.',
  });

/** Presents the output of `rope-eval fingerprint --diff`. */
export function fingerprintDiffSections(diff: FingerprintDiff): readonly Section[] {
  const { worst } = diff;
  const where =
    worst.position === null
      ? `pair ${worst.pair}`
      : `pair ${worst.pair} at position ${tokens(worst.position)}`;
  const how = worst.position === null ? 'relative difference' : 'difference';
  const lines = [
    diff.same
      ? `The same: ${tokens(diff.compared)} numbers agree${reach(diff)}.`
      : `Not the same: the ${diff.key === 'inv_freq' ? 'angles' : 'values'} part by more than ${diff.tolerance} from position ${tokens(diff.partsFrom ?? 0)}.`,
    `Largest ${how} ${worst.difference.toExponential(2)}, ${where}: expected ${worst.expected}, found ${worst.found}.`,
  ];
  if (diff.attentionScaling !== null) {
    const { expected, found } = diff.attentionScaling;
    lines.push(`Attention scaling: expected ${trim(expected, 6)}, found ${trim(found, 6)}.`);
  }
  if (diff.looksLike !== null) lines.push(LOOKS_LIKE[diff.looksLike]);
  return [textSection('difference', lines)];
}

function reach({ key, upTo, tolerance }: FingerprintDiff): string {
  return key === 'inv_freq'
    ? ` (angles within ${tolerance} rad up to ${tokens(upTo)} tokens)`
    : ` within ${tolerance}`;
}
