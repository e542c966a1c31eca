import { createHash } from 'node:crypto';
import { meanLogExcess } from '../geometry/trained-range.js';
import {
  heldPairs,
  probeFrequencies,
  type ProbeGeometry,
  type ProbeTable,
  transfer,
  withHeldOf,
} from '../geometry/transfer.js';
import { LOSS_SCALE } from '../probes/measure.js';
import type { CandidateReport } from '../report/schema/report.js';
import { computeRope, type RopeSpec } from '../rope/registry.js';
import type { RopeTable } from '../rope/spec.js';
import type { Family, Member } from '../subjects/bundled/index.js';

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

/**
 * Decoding token by token with a KV cache: a key keeps the rotation of the length at which it was
 * written, and a query has that of its own length. Index t thus has the table of length t + 1, for
 * its query and its key alike, and one causal pass gives every length (where pairs are held, a pass
 * each).
 */
export interface CachedTables {
  /** Equal keys = bit-identical tables. */
  readonly key: string;
  /** (length) one table an index. */
  readonly byIndex: readonly ProbeTable[];
}

/** What a pass rotates by: one table, or one for each index. */
export type Rotation = ProbeTable | CachedTables;

export function rotationKey(rotation: Rotation): string {
  return 'byIndex' in rotation ? rotation.key : tableKey(rotation);
}

/** @param byIndex (length) tables; all equal: the one table, which others may share */
export function cachedTables(byIndex: readonly ProbeTable[]): Rotation {
  const first = byIndex[0]!;
  if (byIndex.every((table) => same(table, first))) return first;
  const hash = createHash('sha256');
  for (const table of byIndex) {
    hash.update(table.invFreq);
    hash.update(Float64Array.of(table.attentionScaling, table.headScaling ?? 1));
  }
  return { key: `cached|${hash.digest('hex')}`, byIndex };
}

/**
 * Tables of a scaling that depends on the length, as a KV cache keeps them. Index t of the probe
 * stands for `(t + 1) / window` of the user's trained window, as a rung of that length does. Held
 * pairs are those of the last index throughout.
 *
 * @param length probe tokens
 */
export function cachedScaling(
  probe: ProbeGeometry,
  scaling: GroupScaling,
  length: number,
): Rotation {
  const { candidate, reference, window, softmaxScaleRatio } = scaling;
  const home = computeRope(reference, window);
  const windows = length / probe.window;
  let before: { own: RopeTable; probes: ProbeTable } | undefined;
  const byIndex = Array.from({ length }, (_, t) => {
    const tokens = Math.max(1, Math.round(((t + 1) / probe.window) * window));
    const own = computeRope(candidate, tokens);
    // Inside the window every length has the same table.
    if (!before || !same(before.own, own))
      before = { own, probes: transfer(probe, home, own, window, { softmaxScaleRatio, windows }) };
    return before.probes;
  });
  const last = byIndex.at(-1)!;
  return cachedTables(byIndex.map((table) => withHeldOf(probe, table, last)));
}

function same(a: ProbeTable, b: ProbeTable): boolean {
  if (a === b) return true;
  return (
    a.attentionScaling === b.attentionScaling &&
    a.headScaling === b.headScaling &&
    a.invFreq.every((x, i) => x === b.invFreq[i])
  );
}

/**
 * What a scaling does to a group of layers, as the report has it.
 *
 * @param tokens length of the context: a scaling may depend on it
 */
export function describeGroup(
  s: GroupScaling,
  layerType: string,
  tokens: number,
): CandidateReport['groups'][number] {
  const reference = computeRope(s.reference, s.window);
  const candidate = computeRope(s.candidate, tokens);
  const stretches = Array.from(reference.invFreq, (from, i) => {
    const to = candidate.invFreq[i]!;
    return from > 0 && to > 0 ? from / to : 1; // a pair that stands still is not stretched
  });
  const attentionScaling = candidate.attentionScaling / reference.attentionScaling;
  return {
    layerType,
    ropeType: s.candidate.type,
    attentionScaling,
    maxStretch: Math.max(0, ...stretches),
    changed:
      attentionScaling * Math.sqrt(s.softmaxScaleRatio) !== 1 || stretches.some((x) => x !== 1),
  };
}
