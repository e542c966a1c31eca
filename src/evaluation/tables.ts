import { meanLogExcess } from '../geometry/trained-range.js';
import { transfer, type ProbeGeometry, type ProbeTable } from '../geometry/transfer.js';
import { LOSS_SCALE } from '../probes/measure.js';
import { computeRope, lengthDependent } from '../rope/index.js';
import type { RopeSpec } from '../rope/types.js';

/** One scaling of one layer group, against what the weights were trained with. */
export interface GroupScaling {
  readonly reference: RopeSpec;
  readonly candidate: RopeSpec;
  /** Tokens: the trained window, or the local window of sliding and chunked layers. */
  readonly window: number;
  readonly softmaxScaleRatio: number;
}

/** The probe's table for a context of `tokens` user tokens. */
export function probeTable(probe: ProbeGeometry, s: GroupScaling, tokens: number): ProbeTable {
  // The weights' own table is the one at the trained window.
  const reference = computeRope(s.reference, s.window);
  const candidate = computeRope(s.candidate, tokens);
  return transfer(probe, reference, candidate, s.window, s.softmaxScaleRatio);
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

/** Tables at each rung; a scaling that ignores the length has one table for all. */
export function tablesByRung(
  probe: ProbeGeometry,
  scaling: GroupScaling,
  multiples: readonly number[],
): ProbeTable[] {
  const at = (multiple: number): ProbeTable =>
    probeTable(probe, scaling, Math.round(multiple * scaling.window));
  if (lengthDependent(scaling.candidate)) return multiples.map(at);
  const only = at(1);
  return multiples.map(() => only);
}
