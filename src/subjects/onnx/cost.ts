import { freemem } from 'node:os';
import process from 'node:process';
import type { Graph } from './graph.js';
import { errors } from './refusals.js';

/** What the contexts of a decoder cost, estimated from its graph before anything has run. */
export interface DecoderCost {
  /** Multiplications per token, and per pair of a token and an earlier one. */
  readonly perToken: number;
  readonly perPair: number;
  /** MiB that the longest context needs in any case: weights, keys, values and kept scores. */
  readonly leastMemory: number;
  /** The MiB that the longest context is expected to need. */
  readonly memory: number;
}

/** The sizes on which the cost depends. */
export interface CostRequest {
  /** The longest context, in tokens. */
  readonly positions: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headDim: number;
  /** How many tokens are read at a time; undefined: a whole context at once. */
  readonly chunk: number | undefined;
  /** Whether attention keeps the scores of all pairs of tokens that are read at a time. */
  readonly keepsScores: boolean;
  /** The precision of the cache and of the hidden states. */
  readonly precision: 'float32' | 'float16';
  readonly weightBytes: number;
  /** The most rows that are scored at once. */
  readonly scoredRows: number;
}

const MIB = 2 ** 20;
/** The memory of Node, the runtime and its libraries, in MiB. */
const PROCESS = 200;
/**
 * How many times the weights are in memory. The runtime keeps a copy in the order in which its
 * kernels read them, beside the pages of the file that it has read: together 0.9 to 1.25 times the
 * file, on models of 0.5 and 2.4 GB. On a processor without float16 arithmetic, that copy is in
 * float32.
 */
const WEIGHT_COPIES = Object.freeze({ float32: 1.5, float16: 4 });
/** How many hidden states, and rows of a layer's widest product, exist at once. */
const HIDDEN_STATES = 6;
const WIDE_STATES = 3;
/** How many copies of a layer's scores a softmax holds. */
const SCORE_COPIES = 3;

/** Returns the sizes of the weights that multiply tokens. The last one projects to symbols. */
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

/** Estimates the cost of a decoder's contexts from its graph. */
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
  // While a cache grows by copying, it exists twice.
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

/** How long one context took. */
export interface TimedContext {
  readonly length: number;
  readonly milliseconds: number;
}

/** The milliseconds that a machine takes for one multiplication with weights, and in attention. */
export interface Pace {
  readonly product: number;
  readonly attention: number;
}

/**
 * Solves for both paces from the times of a short and a longer context. If the two say nothing of
 * one pace, because the lengths are equal or a pause disturbed one, both kinds count alike.
 */
export function paceOf(cost: DecoderCost, short: TimedContext, long: TimedContext): Pace {
  const { perToken, perPair } = cost;
  const [perShortToken, perLongToken] = [short, long].map((c) => c.milliseconds / c.length);
  const attention = (perLongToken! - perShortToken!) / (perPair * (long.length - short.length));
  const product = (perShortToken! - attention * perPair * short.length) / perToken;
  if (attention > 0 && product > 0 && Number.isFinite(attention)) return { product, attention };
  const alike = perLongToken! / (perToken + perPair * long.length);
  return { product: alike, attention: alike };
}

/** Returns the milliseconds that a context of this many tokens is expected to take. */
export function millisecondsAt(cost: DecoderCost, pace: Pace, length: number): number {
  return length * (pace.product * cost.perToken + pace.attention * cost.perPair * length);
}

/** Returns the MiB that programs can use without making others swap. */
function availableMemory(): number {
  // In a container, this is the container's memory; it exists since Node 20.13.
  const bytes = process.availableMemory?.() ?? freemem();
  return Math.floor(bytes / MIB);
}

/**
 * Checks that a decoder fits into memory.
 *
 * @param room MiB that the decoder may take, which must hold all that it is expected to need;
 *   undefined: what the machine has left, which must hold at least weights and cache
 * @throws RopeEvalError `onnx_memory`, exit 3, if it does not fit
 */
export function assertRoom(cost: DecoderCost, positions: number, room: number | undefined): void {
  const { memory, leastMemory } = cost;
  if (room !== undefined) {
    if (memory > room) throw errors.memoryAllowed(memory, room, positions);
    return;
  }
  const left = availableMemory();
  if (leastMemory > left) throw errors.memoryLeft(leastMemory, left, positions);
}
