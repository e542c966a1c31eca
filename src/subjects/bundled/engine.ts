import type { PositionInputs } from '../../encodings/registry.js';
import type { Device, Provider } from '../../probes/presets.js';
import type { ModelFiles } from './files.js';

export type Runtime = typeof import('onnxruntime-node');

/** What a run is rotated by. */
export interface RotaryTable {
  /** (pairs,) radians per token; 0: the pair stands still. */
  readonly invFreq: Float64Array;
  /** Multiplier on queries and keys, on what rotates. */
  readonly attentionScaling: number;
  /** Multiplier on queries and keys, on every pair of a head; absent: 1. */
  readonly headScaling?: number;
}

/** Rotary tables of one run; (rows, pairs) float32, row-major. Queries and keys may differ. */
export interface RotaryInputs {
  readonly rows: number;
  readonly pairs: number;
  readonly qCos: Float32Array;
  readonly qSin: Float32Array;
  readonly kCos: Float32Array;
  readonly kSin: Float32Array;
}

/** One run of the probe decoder. All shapes are fixed per preset and length. */
export interface Batch {
  /** (batch, length) token ids. */
  readonly tokens: BigInt64Array;
  readonly batch: number;
  readonly length: number;
  /** (batch, length) row of the rotary tables for each token. */
  readonly positions: BigInt64Array;
  /** (batch, score) row from which a token is predicted. */
  readonly scored: BigInt64Array;
  /** (batch, score) the token to predict. */
  readonly targets: BigInt64Array;
  readonly score: number;
  readonly rotary: RotaryInputs;
  /** For the graph of the encodings; absent: nothing added. */
  readonly place?: PositionInputs;
}

/** (batch, score) each. */
export interface Scores {
  /** Natural logarithm. */
  readonly logProbability: Float32Array;
  /** 1 where the target was the most probable token. */
  readonly correct: Uint8Array;
}

export interface EngineInfo {
  /** Where every node of the graph ran. */
  readonly device: Provider;
  readonly threads: number;
  readonly graphSha256: string;
  readonly weightsSha256: string;
  readonly onnxruntime: string;
}

/** One loaded probe model. */
export interface Engine {
  readonly info: EngineInfo;
  /** Runs that may be under way at once; default 1. */
  readonly lanes?: number;
  run(batch: Batch): Promise<Scores>;
  close(): Promise<void>;
}

export interface EngineRequest {
  /** Member name in family.json, or a twin's in encodings.json. */
  readonly member: string;
  /** `encodings`: the graph that takes `Batch.place`, which runs the twins. Default: family. */
  readonly graph?: 'family' | 'encodings';
  /** Of a member of the family, for a process that need not read its card again. */
  readonly files?: ModelFiles;
  readonly device: Device;
  readonly threads: number;
  /**
   * Numbers below the normal range of float32 count as zero, on the thread that opens the engine as
   * well; for a process that does nothing else. Weights of a sharp softmax end there, and a product
   * with one takes several times as long. What they would add to a sum is far below its last bit.
   */
  readonly flushesDenormals?: boolean;
}

/**
 * cos and sin of every angle, times what multiplies queries and keys; angles in float64. Attention
 * scaling multiplies what rotates and nothing else, as transformers has it: a pair that stands
 * still has the multiplier of the whole head alone.
 *
 * @param positions (rows,) tokens, fractions allowed
 * @returns (rows, pairs) float32 each
 */
export function cosSin(
  { invFreq, attentionScaling, headScaling = 1 }: RotaryTable,
  positions: ArrayLike<number>,
): { cos: Float32Array; sin: Float32Array } {
  const pairs = invFreq.length;
  const cos = new Float32Array(positions.length * pairs);
  const sin = new Float32Array(positions.length * pairs);
  for (let t = 0; t < positions.length; t++)
    for (let i = 0; i < pairs; i++) {
      const angle = positions[t]! * invFreq[i]!;
      const scaling = invFreq[i] === 0 ? headScaling : attentionScaling * headScaling;
      cos[t * pairs + i] = Math.cos(angle) * scaling;
      sin[t * pairs + i] = Math.sin(angle) * scaling;
    }
  return { cos, sin };
}

/** The ordinary case: queries and keys share one table. */
export function sharedTable(table: RotaryTable, positions: ArrayLike<number>): RotaryInputs {
  const { cos, sin } = cosSin(table, positions);
  return {
    rows: positions.length,
    pairs: table.invFreq.length,
    qCos: cos,
    qSin: sin,
    kCos: cos,
    kSin: sin,
  };
}

/**
 * Keys as a cache keeps them: index t stands at position t and has a table of its own.
 *
 * @param tables (rows) one an index, all of the same number of pairs
 */
export function cachedTable(tables: readonly RotaryTable[]): RotaryInputs {
  const pairs = tables[0]!.invFreq.length;
  const cos = new Float32Array(tables.length * pairs);
  const sin = new Float32Array(tables.length * pairs);
  tables.forEach((table, t) => {
    const row = cosSin(table, [t]);
    cos.set(row.cos, t * pairs);
    sin.set(row.sin, t * pairs);
  });
  return { rows: tables.length, pairs, qCos: cos, qSin: sin, kCos: cos, kSin: sin };
}
