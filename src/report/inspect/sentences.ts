import type { CandidateGeometry } from '../../geometry/schema.js';
import type { ReferenceKind } from '../../model/types.js';
import { ROPE_KINDS, ropeSentence, type RopeSpec } from '../../rope/registry.js';
import { counted, percent, tokens, trim } from '../format.js';
import type { InspectData, InspectLayerType, InspectReading } from '../schema/inspect.js';

/** Describes the scaling, and the effect of its attention scaling. */
export function ropeWords(layerType: InspectLayerType): string {
  const { attentionScaling, ropeType: type, theta, rotaryDim, parameters } = layerType;
  // Reassembles the spec, which `data.ts` split into the fields of a layer type.
  const words = ropeSentence({ ...parameters, type, theta, rotaryDim } as RopeSpec);
  if (attentionScaling === 1) return words;
  return (
    `${words} Cosines and sines are multiplied by ${trim(attentionScaling, 4)} (attention scaling), ` +
    `which multiplies the rotary part of q·k by ${trim(attentionScaling ** 2, 4)}.`
  );
}

/** Says `64 of the 128 dimensions of a head rotate, as 32 pairs`, and where the pairs lie. */
export function shapeWords(
  { rotaryDim: tableDim, headDim, layout, invFreq }: InspectLayerType,
  latent: InspectData['latentAttention'],
): string {
  // The table of proportional RoPE spans the whole head and ends in pairs that do not turn.
  const rotaryDim = 2 * invFreq.filter((frequency) => frequency > 0).length;
  const pairs = `as ${rotaryDim / 2} pairs`;
  const lie =
    layout === 'half'
      ? `dimension i with i + ${tableDim / 2}`
      : 'neighbouring dimensions are paired';
  if (latent !== null) {
    return (
      `Latent attention (MLA): keys and values come from one latent of ${latent.rank} numbers a ` +
      `token, which carries no position; ${latent.ropeDim} more dimensions, shared by all heads, ` +
      `rotate ${pairs} (${lie}).`
    );
  }
  const share =
    rotaryDim === headDim
      ? `All ${headDim} dimensions of a head rotate`
      : `${rotaryDim} of the ${headDim} dimensions of a head rotate`;
  return `${share}, ${pairs} (${lie}).`;
}

export function readingName(kind: ReferenceKind, window: number): string {
  const how = kind === 'unscaled' ? 'the base frequencies' : 'the scaling in this config';
  return `${how} on ${tokens(window)} tokens`;
}

/** Names the class, because code that ships with the model may do something else (RE092). */
export function withoutRope({ encoding, modelType }: InspectData): string {
  if (encoding === 'rope') return '';
  return `The class of ${modelType} does not use RoPE, so no RoPE scaling applies.`;
}

/** Describes what the model does with positions, one sentence per line. */
export function modelSentences(data: InspectData): string[] {
  const groups = Object.entries(data.layerTypes);
  const turning = groups.map(([, group]) => `Theta ${tokens(group.theta)}. ${ropeWords(group)}`);
  const alike = turning.length > 1 && turning.every((words) => words === turning[0]);
  const lines = groups.map(([name, group], index) => {
    const sees = `${whoWords(data, name, group)} ${seesWords(group, data)}.`;
    return alike ? sees : `${sees} ${turning[index] ?? ''}`;
  });
  if (alike) lines.push(`All of them: ${turning[0] ?? ''}`);
  lines.push(...shapeLines(data));
  if (data.layersWithoutRope.length > 0) {
    lines.push(
      `${counted(data.layersWithoutRope.length, 'layer')} without RoPE (${layerList(data.layersWithoutRope)}): ` +
        `they know no positions, only which tokens came before, and no scaling touches them.`,
    );
  }
  const { softmaxScale, unscaledSoftmaxScale, layersWithoutAttention: recurrent } = data;
  if (recurrent.length > 0) {
    lines.push(
      `${counted(recurrent.length, 'layer')} without attention to the text (${layerList(recurrent)}): linear ` +
        'attention, state space or convolution, which keep the order in a state of fixed size, or ' +
        'attention to an image. No scaling touches them.',
    );
  }
  if (
    softmaxScale !== null &&
    unscaledSoftmaxScale !== null &&
    softmaxScale !== unscaledSoftmaxScale
  ) {
    lines.push(
      `The softmax scale is ${trim(softmaxScale, 5)}, ${trim(softmaxScale / unscaledSoftmaxScale, 3)} times ` +
        `what it would be without the scaling (${trim(unscaledSoftmaxScale, 5)}).`,
    );
  }
  return lines;
}

/** Names the layers: `All 32 layers`, or the layer type first if there are other layers. */
function whoWords(data: InspectData, name: string, { layers }: InspectLayerType): string {
  const only = Object.keys(data.layerTypes).length === 1 && data.layersWithoutRope.length === 0;
  const count = counted(layers.length, 'layer');
  if (!only) return `${name}: ${count}`;
  if (layers.length === 0) return 'No layer';
  if (data.layersWithoutAttention.length > 0) return `${count} with attention`;
  return layers.length === 1 ? 'The one layer' : `All ${count}`;
}

function seesWords({ span, layers }: InspectLayerType, { bidirectional }: InspectData): string {
  const verb = layers.length < 2 ? 'sees' : 'see';
  switch (span.kind) {
    case 'global':
      return `${verb} the whole context${bidirectional ? ', before and after a token' : ''}`;
    case 'sliding':
      // The window includes the token itself.
      if (bidirectional) return `${verb} ${tokens(span.window - 1)} tokens to either side only`;
      return `${verb} the last ${tokens(span.window)} tokens only`;
    case 'chunked':
      return `${verb} only their own chunk of ${tokens(span.window)} tokens`;
  }
}

/** Describes the shape of each layer type, in one sentence if it is the same for all. */
function shapeLines({ layerTypes, latentAttention }: InspectData): string[] {
  const lines = Object.entries(layerTypes).map(([name, group]) => ({
    name,
    words: shapeWords(group, latentAttention),
  }));
  const [first] = lines;
  if (first === undefined) return [];
  if (lines.every(({ words }) => words === first.words)) return [first.words];
  return lines.map(({ name, words }) => `${name}: ${words}`);
}

const LISTED_LAYERS = 8;

/** `3, 7, 11 …` */
function layerList(layers: readonly number[]): string {
  const shown = layers.slice(0, LISTED_LAYERS).join(', ');
  return layers.length > LISTED_LAYERS ? `layers ${shown} …` : `layers ${shown}`;
}

const BY_LENGTH: ReadonlySet<string> = new Set(
  Object.entries(ROPE_KINDS).flatMap(([name, kind]) => (kind.lengthDependent ? [name] : [])),
);

/** Describes the tables at the length of `--seq-len`; empty if the option was not given. */
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
    // Radians per token, computed from the turns over the trained range.
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

/** Picks among the pairs that turn, because the last pairs of proportional RoPE do not. */
function extreme(values: readonly number[], pick: (...values: number[]) => number): number {
  return pick(...values.filter((value) => value > 0));
}

/** Says which frequencies the weights are assumed to know, why, and what the alternative is. */
export function referenceSentences(
  { reference, layerTypes }: InspectData,
  evidenceWords: (evidence: string) => string,
): string[] {
  if (reference === null) return [];
  const { evidence } = reference;
  const alternative = otherReading(reference);
  const why = evidence === 'option' ? 'as the options say' : `evidence: ${evidenceWords(evidence)}`;
  const first = Object.values(layerTypes)[0];
  const lines = [
    `Assumed: the weights were trained with ${readingName(reference.kind, reference.trainedWindow)} (${why}).`,
    knowsSentence(reference, first),
  ];
  if (alternative !== null) {
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
  // Pairs of proportional RoPE that do not turn never reach a new angle.
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

/** The other reading of a config; null if it comes to the same. */
export function otherReading(
  reference: NonNullable<InspectData['reference']>,
): InspectReading | null {
  const { kind, trainedWindow, alternative } = reference;
  const isSame = alternative?.kind === kind && alternative.trainedWindow === trainedWindow;
  return isSame ? null : alternative;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Explains the table of scalings. */
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

/** Says, for each layer type, what happens beyond the trained length and what base it needs. */
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

/** Whether the table changes. Both lists of a longrope may be equal. */
function changes({ step, atTarget }: NonNullable<CandidateGeometry['boundary']>): boolean {
  return [step, atTarget].some(
    ({ maxFrequencyChange, attentionScalingRatio }) =>
      maxFrequencyChange > 1e-6 || Math.abs(attentionScalingRatio - 1) > 1e-6,
  );
}

/** Warns of tables that change with the length, and of layers that lose by a scaling. */
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
