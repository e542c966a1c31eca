import { createHash } from 'node:crypto';
import type { ProbeTable } from '../../geometry/transfer.js';
import type { Treatment } from '../subject.js';

/** What a pass rotates by: one table for all positions, or one for each index. */
export type Rotation = ProbeTable | TablesByIndex;

/**
 * Decoding token by token with a KV cache: a key keeps the rotation of the length at which it was
 * written, and a query has that of its own length. Index t thus has the table of length t + 1, for
 * its query and its key alike, and one causal pass gives every length.
 */
export interface TablesByIndex {
  /** (length) one table an index. */
  readonly byIndex: readonly ProbeTable[];
}

/** Rotary tables, as the probe decoder takes them. */
export interface RotaryTreatment extends Treatment {
  readonly rotation: Rotation;
}

/** Gives bit-identical tables one treatment, whatever they are called: they are run once. */
export class RotaryTreatments {
  readonly #known = new Map<string, RotaryTreatment>();

  of(rotation: Rotation): RotaryTreatment {
    const single = 'byIndex' in rotation ? onlyTable(rotation.byIndex) : rotation;
    const used = single ?? rotation;
    const digest = digestOf(used);
    const known = this.#known.get(digest);
    if (known) return known;
    const treatment = { digest, rotation: used };
    this.#known.set(digest, treatment);
    return treatment;
  }
}

/** The one table that all indices have; undefined where they differ. */
function onlyTable(byIndex: readonly ProbeTable[]): ProbeTable | undefined {
  const first = byIndex[0]!;
  return byIndex.every((table) => sameTable(table, first)) ? first : undefined;
}

export function sameTable(a: ProbeTable, b: ProbeTable): boolean {
  if (a === b) return true;
  return (
    a.attentionScaling === b.attentionScaling &&
    a.headScaling === b.headScaling &&
    a.invFreq.every((x, i) => x === b.invFreq[i])
  );
}

function digestOf(rotation: Rotation): string {
  const hash = createHash('sha256');
  const tables = 'byIndex' in rotation ? rotation.byIndex : [rotation];
  for (const { invFreq, attentionScaling, headScaling = 1 } of tables) {
    hash.update(invFreq);
    hash.update(Float64Array.of(attentionScaling, headScaling));
  }
  return hash.digest('hex');
}
