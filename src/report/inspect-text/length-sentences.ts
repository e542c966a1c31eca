import { ROPE_KINDS } from '../../rope/index.js';
import { tokens, trim } from '../format.js';
import type { InspectData } from '../inspect-types.js';

/** Types whose table follows the length of the sequence. */
const BY_LENGTH: ReadonlySet<string> = new Set(
  Object.entries(ROPE_KINDS).flatMap(([name, kind]) => (kind.lengthDependent ? [name] : [])),
);

/** `--seq-len`: what the tables are at that length; nothing where none was asked for. */
export function lengthSentences({ shown, layerTypes, geometry }: InspectData): string[] {
  if (shown.sequenceLength === null) return [];
  const several = Object.keys(layerTypes).length > 1;
  const lines = Object.entries(layerTypes).map(([name, layerType], index) => {
    const group = geometry?.groups[index];
    const who = several ? `${name}: ` : 'Its table: ';
    const scaling = `attention scaling ${trim(layerType.attentionScaling, 4)}`;
    const rest = BY_LENGTH.has(layerType.ropeType)
      ? ''
      : ' This table is the same at every length.';
    if (group === undefined) return `${who}${scaling}.${rest}`;
    // Radians per token, from turns over the trained range.
    const known = group.reference.rotationsTrained.map(
      (turns) => (turns * 2 * Math.PI) / group.trainedRange,
    );
    const stretch = (pick: (...values: number[]) => number): string =>
      `${trim(extreme(known, pick) / extreme(layerType.invFreq, pick), 4)}x`;
    return (
      `${who}stretch against the reference ${stretch(Math.max)} at the fastest pair, ` +
      `${stretch(Math.min)} at the slowest; ${scaling}.${rest}`
    );
  });
  return [
    `Scaling: ${shown.scaling}, for a sequence of ${tokens(shown.sequenceLength)} tokens.`,
    ...lines,
  ];
}

/** Of the pairs that turn: the tail of proportional RoPE stands still. */
function extreme(values: readonly number[], pick: (...values: number[]) => number): number {
  return pick(...values.filter((value) => value > 0));
}
