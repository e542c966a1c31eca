import { isDeepStrictEqual } from 'node:util';
import type { CandidateGeometry } from '../../geometry/schema.js';
import { sameSentences } from '../fingerprint.js';
import { bytes, multiple, percent, tokens, trim } from '../format.js';
import type { InspectData, InspectReading } from '../schema/inspect.js';
import { findingLines } from '../sections/findings.js';
import { type Block, paragraphs, type Section } from '../sections/section.js';
import { costNote } from './sections.js';
import { lengthSentences, modelSentences, readingName, withoutRope } from './sentences.js';

/**
 * Presents `rope-eval inspect` on one screen: what the model does with positions, what its weights
 * know, how far that reaches, what the length costs and what is wrong. Tables and charts are in the
 * details.
 */
export function inspectAnswer(data: InspectData): readonly Section[] {
  const { modelType, architecture, source } = data;
  const name = architecture ?? modelType;
  const model = name === modelType ? name : `${name} (${modelType})`;
  return [
    {
      id: 'model',
      title: source === null ? model : `${model}  ${source}`,
      depth: 2,
      blocks: paragraphs([withoutRope(data), ...modelSentences(data)]),
    },
    { ...prose('tables', lengthSentences(data)), title: 'The tables at the length asked for' },
    prose('length', [...weightsSentences(data), ...reachSentences(data), costSentence(data)]),
    prose('export', sameSentences(data.exported)),
    { id: 'findings', depth: 2, blocks: closingBlocks(data) },
  ];
}

function prose(id: string, lines: readonly string[]): Section {
  return { id, depth: 2, blocks: paragraphs(lines) };
}

/** Says what the weights are assumed to know, and gives the alternative. */
function weightsSentences({ reference }: InspectData): readonly string[] {
  if (reference === null) return [];
  const { kind, trainedWindow, alternative } = reference;
  const other =
    alternative === null || isDeepStrictEqual(readingOf(reference), readingOf(alternative))
      ? ''
      : `; the other reading: --reference ${alternative.kind} ` +
        `--trained-window ${alternative.trainedWindow}`;
  return [`The weights are taken to know ${readingName(kind, trainedWindow)}${other}.`];
}

function readingOf({ kind, trainedWindow }: InspectReading): readonly unknown[] {
  return [kind, trainedWindow];
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
  // At or below zero, even the slowest pair turns fully in the window.
  const slow =
    criticalFraction === null || criticalFraction <= 0
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

/** Number of findings to show, so that the answer fits on a screen. */
const FINDINGS = 2;

/** How far to trust what is shown, and who says more. */
const TRUST =
  'Exact, by rules checked against transformers; rope-eval CONFIG measures costs on probe models, ' +
  '--model on your weights.';

function closingBlocks(data: InspectData): readonly Block[] {
  const lines = findingLines(data.findings);
  const [first] = lines;
  // If something is wrong, notices are left to the details.
  const shown = lines.filter(({ mark }) => mark === first?.mark).slice(0, FINDINGS);
  const left = lines.length - shown.length;
  const more = left > 0 ? `${left} more ${left === 1 ? 'finding' : 'findings'}, ` : '';
  const rest = `--details: ${more}tables, charts, evidence.`;
  return [
    { kind: 'marks', lines: shown },
    { kind: 'text', tone: 'soft', text: data.encoding === 'rope' ? `${TRUST} ${rest}` : '' },
  ];
}
