import { freemem } from 'node:os';
import process from 'node:process';
import type { Graph } from './graph.js';
import { errors } from './refusals.js';

/** What the contexts of a decoder cost, by its graph and before anything has been run. */
export interface DecoderCost {
  /** Multiplications for each token, and for each pair of a token and one before it. */
  readonly perToken: number;
  readonly perPair: number;
  /** MiB that must be had at the longest context: weights, keys and values, and kept scores. */
  readonly leastMemory: number;
  /** MiB that are expected at the longest context. */
  readonly memory: number;
}

export interface CostRequest {
  /** Longest context, tokens. */
  readonly positions: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headDim: number;
  /** Tokens that are read at a time; undefined: a context in one go. */
  readonly chunk: number | undefined;
  /** Attention keeps the scores of all pairs of tokens that are read at a time. */
  readonly keepsScores: boolean;
  /** Of the cache and of the hidden states. */
  readonly precision: 'float32' | 'float16';
  readonly weightBytes: number;
  /** Rows that are scored at once, at most. */
  readonly scoredRows: number;
}

const MIB = 2 ** 20;
/** Node, the runtime and its libraries, MiB. */
const PROCESS = 200;
/**
 * Copies of the weights: the runtime keeps one in the order in which its kernels read them, and where
 * a processor has no float16 arithmetic, that one is in float32.
 */
const WEIGHT_COPIES = Object.freeze({ float32: 2, float16: 4 });
/** Hidden states, and rows of a layer's widest product, that are alive at once. */
const HIDDEN_STATES = 6;
const WIDE_STATES = 3;
/** Copies of the scores of a layer that a softmax holds. */
const SCORE_COPIES = 3;

/** Rows and columns of the weights that tokens are multiplied with, the projection to symbols last. */
function products(graph: Graph): { rows: number; columns: number }[] {
  return graph.nodes.flatMap((node) => {
    if (node.op === 'MatMulNBits') {
      const [rows, columns] = [node.attributes.get('K'), node.attributes.get('N')];
      return typeof rows === 'number' && typeof columns === 'number' ? [{ rows, columns }] : [];
    }
    if (node.op !== 'MatMul' && node.op !== 'Gemm') return [];
    const [rows, columns] = graph.weights.get(node.inputs[1]!)?.dims ?? [];
    return rows !== undefined && columns !== undefined ? [{ rows, columns }] : [];
  });
}

export function costOf(graph: Graph, request: CostRequest): DecoderCost {
  const { positions, layers, heads, keyHeads, headDim, chunk, precision, weightBytes } = request;
  const bytes = precision === 'float16' ? 2 : 4;
  const all = products(graph);
  const head = all.at(-1);
  const body = all.slice(0, -1);
  const perToken = body.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const cache = positions * layers * 2 * keyHeads * headDim * bytes;
  const atOnce = chunk ?? positions;
  const hidden = head?.rows ?? heads * headDim;
  const widest = Math.max(hidden, ...body.map(({ columns }) => columns));
  const states = atOnce * bytes * (HIDDEN_STATES * hidden + WIDE_STATES * widest);
  const scores = request.keepsScores ? heads * atOnce * positions * 4 : 0;
  const logits = SCORE_COPIES * request.scoredRows * (head?.columns ?? 0) * 4;
  // A cache that grows by copying is there twice while it does.
  const caches = chunk === undefined ? cache : 2 * cache;
  return {
    perToken,
    perPair: layers * heads * headDim,
    leastMemory: Math.ceil((weightBytes + cache + scores) / MIB),
    memory: Math.ceil(
      PROCESS +
        (WEIGHT_COPIES[precision] * weightBytes +
          caches +
          states +
          SCORE_COPIES * scores +
          logits) /
          MIB,
    ),
  };
}

/** Multiplications of a context of so many tokens. */
export function productsAt({ perToken, perPair }: DecoderCost, tokens: number): number {
  return perToken * tokens + perPair * tokens * tokens;
}

/** MiB that programs can have without making others swap. */
function availableMemory(): number {
  // Of a container, where there is one; since Node 20.13.
  const bytes = process.availableMemory?.() ?? freemem();
  return Math.floor(bytes / MIB);
}

/**
 * @param room MiB that a decoder may take, which all that is expected of it must fit; undefined: what
 *   the machine has left, which at least weights and cache must fit
 * @throws RopeEvalError `onnx_memory`, exit 3, where they do not
 */
export function assertRoom(cost: DecoderCost, positions: number, room: number | undefined): void {
  const [needed, limit] =
    room === undefined ? [cost.leastMemory, availableMemory()] : [cost.memory, room];
  if (needed > limit) throw errors.memory(needed, limit, positions, room !== undefined);
}
