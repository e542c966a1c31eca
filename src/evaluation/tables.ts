import { transfer, type ProbeGeometry } from '../geometry/transfer.js';
import { computeRope, lengthDependent } from '../rope/index.js';
import type { RopeSpec, RopeTable } from '../rope/types.js';

/** One scaling of one layer group, against what the weights were trained with. */
export interface GroupScaling {
  readonly reference: RopeSpec;
  readonly candidate: RopeSpec;
  /** Tokens: the trained window, or the local window of sliding and chunked layers. */
  readonly window: number;
  readonly softmaxScaleRatio: number;
}

/** The probe's table for a context of `tokens` user tokens. */
export function probeTable(probe: ProbeGeometry, s: GroupScaling, tokens: number): RopeTable {
  // The weights' own table is the one at the trained window.
  const reference = computeRope(s.reference, s.window);
  const candidate = computeRope(s.candidate, tokens);
  return transfer(probe, reference, candidate, s.window, s.softmaxScaleRatio);
}

/** Equal keys = bit-identical tables: computed once, whatever they are called. */
export function tableKey(table: RopeTable): string {
  return `${table.attentionScaling}|${Array.from(table.invFreq).join()}`;
}

/** Tables at each rung; a scaling that ignores the length has one table for all. */
export function tablesByRung(
  probe: ProbeGeometry,
  scaling: GroupScaling,
  multiples: readonly number[],
): RopeTable[] {
  const at = (multiple: number): RopeTable =>
    probeTable(probe, scaling, Math.round(multiple * scaling.window));
  if (lengthDependent(scaling.candidate)) return multiples.map(at);
  const only = at(1);
  return multiples.map(() => only);
}
