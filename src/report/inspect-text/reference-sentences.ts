import { isDeepStrictEqual } from 'node:util';
import { tokens, trim } from '../format.js';
import type { InspectData, InspectLayerType, InspectReading } from '../inspect-types.js';
import { readingName } from './rope-words.js';

/** Which frequencies the weights are taken to know, why, and what else it could be. */
export function referenceSentences(
  { reference, layerTypes }: InspectData,
  evidenceWords: (evidence: string) => string,
): string[] {
  if (reference === null) return [];
  const { alternative, evidence } = reference;
  const why = evidence === 'option' ? 'as the options say' : `evidence: ${evidenceWords(evidence)}`;
  const first = Object.values(layerTypes)[0];
  const lines = [
    `Assumed: the weights were trained with ${readingName(reference.kind, reference.trainedWindow)} (${why}).`,
    knowsSentence(reference, first),
  ];
  if (alternative !== null && !isDeepStrictEqual(withoutRow(reference), alternative)) {
    lines.push(
      `The other reading: trained with ${readingName(alternative.kind, alternative.trainedWindow)}. ` +
        `Then ${lowerFirst(knowsSentence(alternative, first))} ` +
        `Take it with --reference ${alternative.kind} --trained-window ${alternative.trainedWindow}.`,
    );
  }
  return lines;
}

function knowsSentence(
  { criticalDimension, criticalFraction, trainedRange }: InspectReading,
  layers: InspectLayerType | undefined,
): string {
  const { invFreq = [], span } = layers ?? {};
  const window = `${tokens(trainedRange)} tokens`;
  if (criticalFraction === null) return `No pair turns within ${window}.`;
  const value = `critical fraction ${trim(criticalFraction, 3)}`;
  // The still tail of proportional RoPE reaches no angle at all.
  const pairs = invFreq.filter((frequency) => frequency > 0).length;
  const never = pairs - criticalDimension / 2;
  if (never <= 0) {
    const which = pairs === invFreq.length ? 'pair' : 'pair that turns';
    return `Every ${which} completes a turn within ${window}, so every angle is known (${value}).`;
  }
  const complete = never === 1 ? 'completes' : 'complete';
  if (span !== undefined && span.kind !== 'global' && span.window === trainedRange) {
    return (
      `Of ${pairs} pairs, ${never} never ${complete} a turn within ${window}, the most that these ` +
      `layers see (${value}, critical dimension ${criticalDimension}). A longer context brings ` +
      `them no new angles, so a scaling has nothing to gain there.`
    );
  }
  return (
    `Of ${pairs} pairs, ${never} never ${complete} a turn within ${window} (${value}): beyond that ` +
    `length ${never === 1 ? 'it reaches' : 'they reach'} angles that the weights have not seen (critical dimension ${criticalDimension}).`
  );
}

function withoutRow(reference: NonNullable<InspectData['reference']>): InspectReading {
  const { kind, trainedWindow, trainedRange, criticalFraction, criticalDimension } = reference;
  return { kind, trainedWindow, trainedRange, criticalFraction, criticalDimension };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
