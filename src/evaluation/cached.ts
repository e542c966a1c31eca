import { createHash } from 'node:crypto';
import { transfer, withHeldOf, type ProbeGeometry, type ProbeTable } from '../geometry/transfer.js';
import { computeRope } from '../rope/index.js';
import type { RopeTable } from '../rope/types.js';
import { tableKey, type GroupScaling } from './tables.js';

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
