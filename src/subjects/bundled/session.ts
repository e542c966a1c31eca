import process from 'node:process';
import type { InferenceSession } from 'onnxruntime-node';
import { messageOf, option, RopeEvalError, words } from '../../errors.js';
import type { Provider } from '../../probes/presets.js';
import {
  type Batch,
  type EngineRequest,
  type Feeds,
  type ProbeEngine,
  type Runtime,
  type Scores,
  withTables,
} from './engine.js';
import { GRAPHS, type LoadedFiles, loadFiles } from './files.js';

/** The mask of an unseen key: finite, so that a softmax over masked keys alone is a number. */
const UNSEEN = -1e9;

/** Makes an additive causal mask (length, length): 0 on and below the diagonal. */
export function causalMask(length: number): Float32Array {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(UNSEEN, i * length + i + 1, (i + 1) * length);
  return mask;
}

/**
 * Turns a bias by distance, (heads, length), into the form that the graph takes: (heads, length,
 * length) with later tokens masked. At 2048 tokens that is 64 MiB, so it is built here instead of
 * being sent, in a buffer that is reused while the length stays the same.
 */
export class PlaceBias {
  #buffer = new Float32Array(0);

  constructor(private readonly heads: number) {}

  /** @returns (heads, length, length), valid until the next call */
  of(length: number, byDistance: Float32Array | undefined): Float32Array {
    const { heads } = this;
    if (this.#buffer.length !== heads * length * length)
      this.#buffer = new Float32Array(heads * length * length);
    for (let h = 0; h < heads; h++) {
      // The farthest distance comes first. Row i is the end of it, with key i at distance 0.
      const row = (byDistance ?? new Float32Array(heads * length))
        .slice(h * length, (h + 1) * length)
        .reverse();
      for (let i = 0; i < length; i++) {
        const start = (h * length + i) * length;
        this.#buffer.set(row.subarray(length - 1 - i), start);
        this.#buffer.fill(UNSEEN, start + i + 1, start + length);
      }
    }
    return this.#buffer;
  }
}

/** The inputs of a graph besides tokens, positions, rotary tables and what is scored. */
interface Mask {
  /** Changes a batch as the graph requires; default: not at all. */
  readonly fit?: (batch: Batch) => Batch;
  readonly feeds: (runtime: Runtime, batch: Batch) => Feeds;
}

function indices({ Tensor }: Runtime, length: number): Feeds[string] {
  const all = BigInt64Array.from({ length }, (_, i) => BigInt(i));
  return new Tensor('int64', all, [length]);
}

/**
 * The most queries that decoder.onnx takes at a time. Small chunks waste less work on masked keys
 * (bench/attention.py), but each copies the keys before it, which matters in long contexts.
 */
const largestChunk = (length: number): number => (length <= 2560 ? 64 : 256);

/** Splits a length into as few chunks as possible, of nearly equal size. */
function chunksOf(length: number): { readonly chunk: number; readonly filled: number } {
  const count = Math.ceil(length / largestChunk(length));
  const chunk = Math.ceil(length / count);
  return { chunk, filled: chunk * count };
}

/** Fills contexts up to whole chunks. No row depends on later tokens, so scores stay the same. */
function wholeChunks(b: Batch): Batch {
  const { filled } = chunksOf(b.length);
  if (filled === b.length) return b;
  const fill = (data: BigInt64Array): BigInt64Array => {
    const out = new BigInt64Array(b.batch * filled);
    for (let i = 0; i < b.batch; i++)
      out.set(data.subarray(i * b.length, (i + 1) * b.length), i * filled);
    return out;
  };
  const [tokens, positions] = [fill(b.tokens), fill(b.positions)];
  return { ...b, length: filled, tokens, positions };
}

/**
 * Adds rows to the rotary tables. The RotaryEmbedding operator requires as many rows as it rotates
 * at once, whether or not a position refers to them. It rotates the tokens and the scored rows, and
 * the latter can be more: if lengths are close together, a row may be scored for two of them.
 */
function enoughRows(b: Batch): Batch {
  const least = Math.max(b.length, b.score);
  if (b.rotary.rows >= least) return b;
  const longer = (table: Float32Array): Float32Array => {
    const out = new Float32Array(least * b.rotary.pairs);
    out.set(table);
    return out;
  };
  return { ...b, rotary: withTables(b.rotary, least, longer) };
}

const MASKS: Readonly<Record<keyof typeof GRAPHS, Mask>> = Object.freeze({
  cpu: {
    fit: (batch) => enoughRows(wholeChunks(batch)),
    feeds: (runtime, { length }) => {
      const { chunk } = chunksOf(length);
      return {
        indices: indices(runtime, length),
        block: new runtime.Tensor('float32', causalMask(chunk), [chunk, chunk]),
      };
    },
  },
  portable: {
    fit: enoughRows,
    feeds: (runtime, { length }) => ({ indices: indices(runtime, length) }),
  },
});

/** Makes the inputs of encodings.onnx. */
function placedMask({ width, heads }: { width: number; heads: number }): Mask {
  const bias = new PlaceBias(heads);
  return {
    feeds: ({ Tensor }, { length, place }) => ({
      added: new Tensor('float32', place?.added ?? new Float32Array(length * width), [
        length,
        width,
      ]),
      bias: new Tensor('float32', bias.of(length, place?.bias), [heads, length, length]),
    }),
  };
}

/** Loads the runtime. It is loaded late because `--help` and `inspect` must not pay for it. */
export async function loadRuntime(device: Provider = 'cpu'): Promise<Runtime> {
  // TensorFloat-32 would cut the factors of a product to ten bits. CUDA reads this variable when it
  // starts.
  if (device === 'cuda') process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  try {
    const runtime = await import('onnxruntime-node');
    runtime.env.logLevel = 'fatal'; // Its own messages would appear on stderr beside ours.
    return runtime;
  } catch (error) {
    throw new RopeEvalError('runtime_missing', {
      problem: `onnxruntime-node could not be loaded: ${firstLine(error)}`,
      hint: 'It needs glibc 2.28 or later on Linux, macOS on arm64, or Windows; run `rope-eval doctor`.',
    });
  }
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n')[0]!;
}

class SessionEngine implements ProbeEngine {
  constructor(
    readonly info: ProbeEngine['info'],
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    private readonly mask: Mask,
  ) {}

  async run(batch: Batch): Promise<Scores> {
    const b = this.mask.fit?.(batch) ?? batch;
    const { Tensor } = this.runtime;
    const table = (data: Float32Array) =>
      new Tensor('float32', data, [b.rotary.rows, b.rotary.pairs]);
    const feeds: Feeds = {
      tokens: new Tensor('int64', b.tokens, [b.batch, b.length]),
      positions: new Tensor('int64', b.positions, [b.batch, b.length]),
      scored: new Tensor('int64', b.scored, [b.batch, b.score]),
      targets: new Tensor('int64', b.targets, [b.batch, b.score]),
      q_cos: table(b.rotary.qCos),
      q_sin: table(b.rotary.qSin),
      k_cos: table(b.rotary.kCos),
      k_sin: table(b.rotary.kSin),
      ...this.mask.feeds(this.runtime, b),
    };
    const out = await this.session.run(feeds);
    return {
      logProbability: out['log_probability']!.data as Float32Array,
      correct: out['correct']!.data as Uint8Array,
    };
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}

/**
 * Loads a graph and its weights. Modules that read the model cards are imported only if the request
 * does not contain what the cards hold.
 */
async function loadModel(
  { member, graph, files: known }: EngineRequest,
  variant: keyof typeof GRAPHS,
): Promise<LoadedFiles & { readonly mask: Mask }> {
  if (graph === 'encodings') {
    const { encodingsModel } = await import('../../encodings/twins.js');
    const { shape, ...files } = await encodingsModel(member);
    return { ...files, mask: placedMask(shape) };
  }
  const files = known ?? (await (await import('./family.js')).filesOf(member));
  if (!files) throw new Error(`no probe model ${member}`);
  const name = GRAPHS[variant];
  const loaded = await loadFiles({ ...files, graph: name, graphSha256: files.graphs[name]! });
  return { ...loaded, mask: MASKS[variant] };
}

async function create(
  request: EngineRequest,
  device: Provider,
  variant: keyof typeof GRAPHS,
): Promise<ProbeEngine> {
  const runtime = await loadRuntime(device);
  const { graph, graphSha256, weights, weightsSha256, mask } = await loadModel(request, variant);
  const session = await runtime.InferenceSession.create(graph, {
    executionProviders: device === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
    intraOpNumThreads: request.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    externalData: [{ path: 'weights', data: weights }],
    extra: {
      session: {
        // If a node silently ran on the CPU, every CUDA figure would be wrong.
        ...(device === 'cuda' ? { disable_cpu_ep_fallback: '1' } : {}),
        ...(request.flushesDenormals ? { set_denormal_as_zero: '1' } : {}),
      },
    },
  });
  const info = {
    device,
    threads: request.threads,
    graphSha256,
    weightsSha256,
    onnxruntime: runtime.env.versions.node ?? runtime.env.versions.common,
  };
  return new SessionEngine(info, runtime, session, mask);
}

/**
 * Opens a probe model on this thread.
 *
 * @param onCpu the graph to use there; the portable one runs on every provider (tests)
 * @throws RopeEvalError exit 3 if CUDA was requested and is unavailable, or if the runtime or the
 *   models are missing
 */
export async function openSession(
  request: EngineRequest,
  onCpu: keyof typeof GRAPHS = 'cpu',
): Promise<ProbeEngine> {
  if (request.device === 'cpu') return create(request, 'cpu', onCpu);
  try {
    return await create(request, 'cuda', 'portable');
  } catch (error) {
    if (error instanceof RopeEvalError) throw error;
    if (request.device === 'auto') return create(request, 'cpu', onCpu);
    throw new RopeEvalError('cuda_unavailable', {
      option: 'device',
      problem: `CUDA is not available: ${firstLine(error)}`,
      hint: words`It needs an NVIDIA GPU, CUDA and cuDNN, and the CUDA files of onnxruntime-node on Linux x64 (npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12); \`rope-eval doctor\` says what is missing. ${option('device')} cpu needs none of it.`,
    });
  }
}
