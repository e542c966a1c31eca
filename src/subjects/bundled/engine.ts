import type { PositionInputs } from '../../encodings/registry.js';
import type { ProbeTable } from '../../geometry/transfer.js';
import type { Device, Provider } from '../../probes/presets.js';
import type { ModelFiles } from './files.js';

export type Runtime = typeof import('onnxruntime-node');
export type Feeds = Record<string, InstanceType<Runtime['Tensor']>>;

/** Rotary tables of a run, (rows, pairs) float32, row-major; queries' and keys' may differ. */
export interface RotaryInputs {
  readonly rows: number;
  readonly pairs: number;
  readonly qCos: Float32Array;
  readonly qSin: Float32Array;
  readonly kCos: Float32Array;
  readonly kSin: Float32Array;
}

/** The input of one run of the probe decoder. All shapes are fixed per preset and length. */
export interface Batch {
  /** (batch, length) token ids. */
  readonly tokens: BigInt64Array;
  readonly batch: number;
  readonly length: number;
  /** (batch, length) the row of the rotary tables for each token. */
  readonly positions: BigInt64Array;
  /** (batch, score) the row from which a token is predicted. */
  readonly scored: BigInt64Array;
  /** (batch, score) the token to predict. */
  readonly targets: BigInt64Array;
  readonly score: number;
  readonly rotary: RotaryInputs;
  /** For the graph of the encodings; absent: nothing is added. */
  readonly place?: PositionInputs;
}

/** The output of one run, (batch, score) each. */
export interface Scores {
  /** Natural logarithm. */
  readonly logProbability: Float32Array;
  /** 1 if the target was the most probable token. */
  readonly correct: Uint8Array;
}

/** What is known about a loaded probe model. */
export interface EngineInfo {
  /** The device on which every node of the graph ran. */
  readonly device: Provider;
  readonly threads: number;
  readonly graphSha256: string;
  readonly weightsSha256: string;
  readonly onnxruntime: string;
}

/** A loaded probe model. */
export interface ProbeEngine {
  readonly info: EngineInfo;
  /** How many runs may be in progress at once; default 1. */
  readonly lanes?: number;
  run(batch: Batch): Promise<Scores>;
  close(): Promise<void>;
}

/** Which probe model to load, and how to run it. */
export interface EngineRequest {
  /** The name of a member in family.json, or of a twin in encodings.json. */
  readonly member: string;
  /** `encodings` is the graph that takes `Batch.place`, on which the twins run. Default: family. */
  readonly graph?: 'family' | 'encodings';
  /** The files of a member of the family, so that a child process need not read its card again. */
  readonly files?: ModelFiles;
  readonly device: Device;
  readonly threads: number;
  /**
   * Whether numbers below the normal range of float32 count as zero. This also applies to the
   * thread that opens the engine, so it is meant for a process that does nothing else. The weights
   * of a sharp softmax reach that range, and a product with one takes several times as long,
   * although it is far below the last bit of the sum that it is added to.
   */
  readonly flushesDenormals?: boolean;
}

/**
 * Computes cos and sin of every angle, times the multipliers on queries and keys. Angles are in
 * float64. As in transformers, the attention scaling applies only to pairs that rotate: a pair that
 * stands still has only the multiplier of the whole head.
 *
 * @param positions (rows,) tokens, fractions allowed
 * @returns (rows, pairs) float32 each
 */
function cosSin(
  { invFreq, attentionScaling, headScaling = 1 }: ProbeTable,
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

/** Makes the inputs for the ordinary case, in which queries and keys share one table. */
export function sharedTable(table: ProbeTable, positions: ArrayLike<number>): RotaryInputs {
  const { cos, sin } = cosSin(table, positions);
  const [rows, pairs] = [positions.length, table.invFreq.length];
  return { rows, pairs, qCos: cos, qSin: sin, kCos: cos, kSin: sin };
}

/** Changes the length of all tables. Those that queries and keys share stay shared. */
export function withTables(
  { pairs, qCos, qSin, kCos, kSin }: RotaryInputs,
  rows: number,
  change: (table: Float32Array) => Float32Array,
): RotaryInputs {
  const [cos, sin] = [change(qCos), change(qSin)];
  const keys =
    kCos === qCos ? { kCos: cos, kSin: sin } : { kCos: change(kCos), kSin: change(kSin) };
  return { rows, pairs, qCos: cos, qSin: sin, ...keys };
}

/**
 * Makes the inputs for keys in a cache: index t is at position t and has its own table.
 *
 * @param tables (rows,) one per index, all with the same number of pairs
 */
export function cachedTable(tables: readonly ProbeTable[]): RotaryInputs {
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
