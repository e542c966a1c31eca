import type { FingerprintDiff } from '../geometry/fingerprint-diff.js';
import type { Fingerprint, GroupFingerprint } from '../geometry/fingerprint.js';
import { printable, tokens, trim } from './format.js';
import { bareTable, fill } from './terminal.js';

/** Pairs shown at either end of a table. */
const SHOWN = 4;

/** `rope-eval fingerprint` for a person at a terminal. */
export function renderFingerprint(fingerprint: Fingerprint, columns: number): string {
  const length =
    fingerprint.sequenceLength === null ? '' : `, at ${tokens(fingerprint.sequenceLength)} tokens`;
  const blocks = fingerprint.groups.map((group) =>
    [
      `${printable(group.layerType)}: ${group.ropeType}, ${group.layers.length} layers`,
      `sha256 ${group.hash}`,
      `attention scaling ${group.attentionScaling}, ${group.invFreq.length} pairs, ${group.layout} layout`,
      frequencyTable(group),
      cosineTable(group),
    ].join('\n'),
  );
  const note =
    'The cosine compares with the base frequencies at one position: 1 = the same rotation. ' +
    '--json prints every frequency; --diff compares with an engine.';
  const title = `${printable(fingerprint.modelType)}${length}`;
  return `${[title, ...blocks, fill(note, columns, '')].join('\n\n')}\n`;
}

function frequencyTable({ invFreq }: GroupFingerprint): string {
  const rows = [...invFreq.entries()].filter(
    ([pair]) => pair < SHOWN || pair >= invFreq.length - SHOWN,
  );
  return bareTable(
    ['pair', 'radians per token', 'tokens per turn'],
    rows.map(([pair, frequency]) => [
      String(pair),
      frequency.toExponential(7),
      frequency > 0 ? trim((2 * Math.PI) / frequency, 1) : 'stands still',
    ]),
  );
}

function cosineTable({ versusUnscaled }: GroupFingerprint): string {
  return bareTable(
    ['position', 'cosine to unscaled'],
    versusUnscaled.map(({ position, cosine }) => [tokens(position), cosine.toFixed(4)]),
  );
}

const LOOKS_LIKE: Readonly<Record<NonNullable<FingerprintDiff['looksLike']>, string>> =
  Object.freeze({
    unscaled: 'They are the base frequencies: the engine does not apply this scaling.',
    'bfloat16 frequencies': 'They are the right frequencies rounded to bfloat16.',
    'float16 frequencies': 'They are the right frequencies rounded to float16.',
  });

/** `rope-eval fingerprint --diff` for a person at a terminal. */
export function renderFingerprintDiff(diff: FingerprintDiff, columns: number): string {
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
  return `${lines.map((line) => fill(line, columns, '')).join('\n')}\n`;
}

function reach({ key, upTo, tolerance }: FingerprintDiff): string {
  return key === 'inv_freq'
    ? ` (angles within ${tolerance} rad up to ${tokens(upTo)} tokens)`
    : ` within ${tolerance}`;
}
