import { createHash } from 'node:crypto';
import type { ModelGeometry } from '../model/types.js';
import { computeRope, type RopeSpec } from '../rope/registry.js';
import type { RopeTable } from '../rope/spec.js';

/**
 * A table as engines hold it: sorted from the fastest pair to the slowest, unless the class of the
 * model stores its pairs in another order.
 *
 * @param invFreq (pairs,) radians per token, sorted
 */
export function asStored(
  invFreq: ArrayLike<number>,
  { pairOrder }: Pick<ModelGeometry, 'pairOrder'>,
): number[] {
  const sorted = Array.from(invFreq);
  if (pairOrder?.length !== sorted.length) return sorted;
  return pairOrder.map((pair) => sorted[pair] ?? 0);
}

/** Bumped when the hashed bytes change. */
const FINGERPRINT_VERSION = 1;

export interface CosinePoint {
  /** Tokens. */
  readonly position: number;
  /** Mean over pairs of cos(p (ω − ω_unscaled)): 1 = the same rotation, 0 = unrelated. */
  readonly cosine: number;
}

export interface GroupFingerprint {
  readonly layerType: string;
  readonly layers: readonly number[];
  readonly ropeType: string;
  readonly rotaryDim: number;
  readonly layout: 'half' | 'interleaved';
  /** sha256, hexadecimal. */
  readonly hash: string;
  /** (rotaryDim / 2,) radians per token. */
  readonly invFreq: readonly number[];
  readonly attentionScaling: number;
  readonly versusUnscaled: readonly CosinePoint[];
}

export interface Fingerprint {
  readonly version: typeof FINGERPRINT_VERSION;
  readonly modelType: string;
  /** Length that length-dependent tables are for; null = as built. */
  readonly sequenceLength: number | null;
  readonly groups: readonly GroupFingerprint[];
}

/**
 * Hash of a rotary table: sha256 over float32 little-endian numbers, the inverse frequencies and
 * then the attention scaling. Float32 because engines hold no more, and because it hides the last
 * bits in which one mathematics library differs from another.
 */
export function hashTable({ invFreq, attentionScaling }: RopeTable): string {
  const bytes = new DataView(new ArrayBuffer(4 * (invFreq.length + 1)));
  invFreq.forEach((frequency, pair) => bytes.setFloat32(4 * pair, frequency, true));
  bytes.setFloat32(4 * invFreq.length, attentionScaling, true);
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * What an engine that reads this config should hold, per layer type.
 *
 * @param sequenceLength tokens, for tables that depend on it; undefined = as built
 * @param specs another scaling, parallel to `model.groups`; default: the config as it stands
 */
export function fingerprintData(
  model: ModelGeometry,
  {
    sequenceLength,
    specs,
  }: { readonly sequenceLength?: number; readonly specs?: readonly RopeSpec[] } = {},
): Fingerprint {
  return {
    version: FINGERPRINT_VERSION,
    modelType: model.modelType,
    sequenceLength: sequenceLength ?? null,
    groups: model.groups.map((group, index) => {
      const spec = specs?.[index] ?? group.rope;
      const table = stored(computeRope(spec, sequenceLength), model);
      const unscaled = stored(computeRope(group.unscaled, sequenceLength), model);
      return {
        layerType: group.layerType,
        layers: group.layers,
        ropeType: spec.type,
        rotaryDim: spec.rotaryDim,
        layout: model.layout,
        hash: hashTable(table),
        invFreq: Array.from(table.invFreq),
        attentionScaling: table.attentionScaling,
        versusUnscaled: cosineByPosition(table, unscaled, model.maxPositions),
      };
    }),
  };
}

/** A table with its pairs in the order in which engines hold them. */
export function stored(table: RopeTable, model: ModelGeometry): RopeTable {
  if (model.pairOrder === undefined) return table;
  return { ...table, invFreq: Float64Array.from(asStored(table.invFreq, model)) };
}

/** Powers of four up to `upTo`, and `upTo`. */
function cosineByPosition(table: RopeTable, unscaled: RopeTable, upTo: number): CosinePoint[] {
  const positions: number[] = [];
  for (let position = 1; position < upTo; position *= 4) positions.push(position);
  positions.push(upTo);
  return positions.map((position) => {
    let sum = 0;
    table.invFreq.forEach((frequency, pair) => {
      sum += Math.cos(position * (frequency - (unscaled.invFreq[pair] ?? 0)));
    });
    return { position, cosine: sum / table.invFreq.length };
  });
}
