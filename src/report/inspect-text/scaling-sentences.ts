import type { CandidateGeometry } from '../../geometry/geometry-report.js';
import { percent, tokens, trim } from '../format.js';
import type { InspectData } from '../inspect-types.js';

/** Under the table of scalings. */
export function tableNote({ groups }: NonNullable<InspectData['geometry']>): string {
  const unscaled = groups.some(({ candidates }) =>
    candidates.some(({ label }) => label === 'none'),
  );
  return (
    `* is the reference${unscaled ? ', none the config without its scaling' : ''}. Stretch: how much ` +
    'slower a pair turns than in the reference. Outside: a pair that never completed a turn in ' +
    'training and goes beyond its largest trained angle.'
  );
}

export const DRIFT =
  'A score must depend on the distance between two tokens alone; the table says how far off it is ' +
  'when an engine keeps numbers in these formats.';

/** Per layer type: what a length beyond the trained one does, and the base that it would take. */
export function boundSentences({ geometry, layerTypes, latentAttention }: InspectData): string[] {
  if (geometry === null) return [];
  return geometry.groups
    .filter(({ span }) => span.kind === 'global')
    .flatMap(({ reference, requiredBase, layerType }) => {
      const { supported, theta, rotaryDim } = reference;
      const more = supported.atLeast ? 'at least ' : '';
      const who = geometry.groups.length === 1 ? '' : ` of ${layerType}`;
      const needed =
        requiredBase === null
          ? ''
          : ` An unscaled table of ${rotaryDim} dimensions needs a theta of about ` +
            `${requiredBase.base.toPrecision(2).replace('e+', 'e')} for ${tokens(requiredBase.length)} tokens; here it is ${tokens(theta)}.`;
      const partial = latentAttention !== null || rotaryDim < (layerTypes[layerType]?.headDim ?? 0);
      const rest = partial
        ? ' Only rotating dimensions are counted: the others match tokens at any distance.'
        : '';
      return [
        `By Men et al.'s bound the reference frequencies${who} prefer an equal token to a random one ` +
          `up to ${more}${tokens(supported.tokens)} tokens.${needed}${rest}`,
      ];
    });
}

/** Lists that are equal on both sides change nothing. */
function changes({ step, atTarget }: NonNullable<CandidateGeometry['boundary']>): boolean {
  return [step, atTarget].some(
    ({ maxFrequencyChange, attentionScalingRatio }) =>
      maxFrequencyChange > 1e-6 || Math.abs(attentionScalingRatio - 1) > 1e-6,
  );
}

/** Where a table changes with the length, and layers that lose by a scaling. */
export function warningSentences({ geometry }: InspectData): string[] {
  if (geometry === null) return [];
  return geometry.groups.flatMap(({ layerType, candidates, span }) =>
    candidates.flatMap(({ label, boundary, pureLoss, maxStretch }) => {
      const lines: string[] = [];
      if (boundary !== null && changes(boundary)) {
        const change = boundary.kind === 'switch' ? boundary.step : boundary.atTarget;
        const how =
          boundary.kind === 'switch'
            ? 'its frequencies change all at once'
            : 'its frequencies are recomputed with every length';
        lines.push(
          `${layerType}, ${label}: above ${tokens(boundary.length)} tokens ${how}, by up to ` +
            `${percent(change.maxFrequencyChange)} at the target (pair ${change.pair}); keys cached before ` +
            `were turned by the old ones.`,
        );
      }
      if (pureLoss && span.kind !== 'global') {
        lines.push(
          `${layerType}, ${label}: stretched up to ${trim(maxStretch, 2)}x although these layers never see ` +
            `more than ${tokens(span.window)} tokens: a loss without a gain.`,
        );
      }
      return lines;
    }),
  );
}
