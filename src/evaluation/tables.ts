import { meanLogExcess } from '../geometry/trained-range.js';
import type { Family, Member } from '../engine/index.js';
import {
  heldPairs,
  probeFrequencies,
  transfer,
  type ProbeGeometry,
  type ProbeTable,
} from '../geometry/transfer.js';
import { LOSS_SCALE } from '../probes/measure.js';
import { computeRope } from '../rope/index.js';
import type { RopeSpec } from '../rope/types.js';

/** One scaling of one layer group, against what the weights were trained with. */
export interface GroupScaling {
  readonly reference: RopeSpec;
  readonly candidate: RopeSpec;
  /** Tokens: the trained window, or the local window of sliding and chunked layers. */
  readonly window: number;
  readonly softmaxScaleRatio: number;
}

/**
 * A member, as the scalings of a model are carried over to it.
 *
 * @param reference what the model's weights were trained with, on the group that decides
 * @param below the model's critical fraction is smaller than that of every member of its kind: the
 *   member's slowest pairs are held
 */
export function probeGeometry(
  { shape }: Family,
  { theta, rotaryShare, window }: Member,
  reference: RopeSpec,
  trainedWindow: number,
  below: boolean,
): ProbeGeometry {
  const probe = { invFreq: probeFrequencies(theta, shape.head_dim / 2, rotaryShare), window };
  const table = computeRope(reference, trainedWindow);
  return { ...probe, held: below ? heldPairs(probe, table, trainedWindow) : 0 };
}

/**
 * The probe's table for a context of `tokens` user tokens.
 *
 * @param span largest distance within it, tokens
 */
export function probeTable(
  probe: ProbeGeometry,
  s: GroupScaling,
  tokens: number,
  span = tokens,
): ProbeTable {
  // The weights' own table is the one at the trained window.
  const reference = computeRope(s.reference, s.window);
  const candidate = computeRope(s.candidate, tokens);
  const { window, softmaxScaleRatio } = s;
  return transfer(probe, reference, candidate, window, {
    softmaxScaleRatio,
    windows: span / window,
  });
}

/** Equal keys = bit-identical tables: computed once, whatever they are called. */
export function tableKey({ invFreq, attentionScaling, headScaling = 1 }: ProbeTable): string {
  return `${attentionScaling}|${headScaling}|${Array.from(invFreq).join()}`;
}

/**
 * (multiples) what leaving the trained range costs in the score at each length, nats: `meanLogExcess`
 * of the user's own angles, at one nat of the probe a unit.
 */
export function outOfRangeByRung(s: GroupScaling, multiples: readonly number[]): number[] {
  const reference = computeRope(s.reference, s.window).invFreq;
  return multiples.map((multiple) => {
    const tokens = Math.round(multiple * s.window);
    const { invFreq } = computeRope(s.candidate, tokens);
    return LOSS_SCALE * meanLogExcess(reference, invFreq, s.window, tokens);
  });
}

/** Tables at each rung: equal where the scaling ignores the length, unless the probe holds pairs. */
export function tablesByRung(
  probe: ProbeGeometry,
  scaling: GroupScaling,
  multiples: readonly number[],
): ProbeTable[] {
  return multiples.map((m) => probeTable(probe, scaling, Math.round(m * scaling.window)));
}
