import type { InferenceSession } from 'onnxruntime-node';
import { EXIT, RopeEvalError } from '../errors.js';
import { encodingsModel } from './encodings.js';
import { GRAPHS, loadFamily, readBundled } from './family.js';
import { chunkedMask, placedMask, portableMask, type Feeds, type Mask } from './feeds.js';
import type { Batch, Engine, EngineRequest, Runtime, Scores } from './types.js';

/** Loaded late: `--help` and `inspect` must not pay for the runtime. */
export async function loadRuntime(): Promise<Runtime> {
  try {
    const runtime = await import('onnxruntime-node');
    runtime.env.logLevel = 'fatal'; // its own messages would land on stderr beside ours
    return runtime;
  } catch (error) {
    throw new RopeEvalError(
      `onnxruntime-node could not be loaded: ${firstLine(error)}`,
      EXIT.runtime,
      'runtime_missing',
      '',
      'It needs glibc 2.28 or later on Linux, macOS on arm64, or Windows; run `rope-eval doctor`.',
    );
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}

class SessionEngine implements Engine {
  constructor(
    readonly info: Engine['info'],
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

interface Loaded {
  readonly graph: Buffer;
  readonly graphSha256: string;
  readonly weights: Buffer;
  readonly weightsSha256: string;
  readonly mask: Mask;
}

async function loadModel(
  { member: name, graph }: EngineRequest,
  portable: boolean,
): Promise<Loaded> {
  if (graph === 'encodings') {
    const { shape, ...files } = await encodingsModel(name);
    return { ...files, mask: placedMask(shape) };
  }
  const family = await loadFamily();
  const member = family.members.find((m) => m.name === name);
  if (!member) throw new Error(`no probe model ${name}`);
  const graphName = portable ? GRAPHS.portable : GRAPHS.cpu;
  const graphSha256 = family.graphs[graphName]!;
  return {
    graph: await readBundled(graphName, graphSha256),
    graphSha256,
    weights: await readBundled(member.weights, member.weightsSha256),
    weightsSha256: member.weightsSha256,
    mask: portable ? portableMask : chunkedMask,
  };
}

async function create(
  request: EngineRequest,
  device: 'cpu' | 'cuda',
  portable: boolean,
): Promise<Engine> {
  const runtime = await loadRuntime();
  const { graph, graphSha256, weights, weightsSha256, mask } = await loadModel(request, portable);
  const session = await runtime.InferenceSession.create(graph, {
    executionProviders: device === 'cuda' ? ['cuda', 'cpu'] : ['cpu'],
    intraOpNumThreads: request.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    externalData: [{ path: 'weights', data: weights }],
    // A node that quietly lands on the CPU would make every CUDA figure a lie.
    ...(device === 'cuda' ? { extra: { session: { disable_cpu_ep_fallback: '1' } } } : {}),
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
 * @param portable the graph that runs on every provider, also where the CPU runs it (tests)
 * @throws RopeEvalError exit 3: CUDA asked for and not to be had; runtime or models missing
 */
export async function openSession(request: EngineRequest, portable = false): Promise<Engine> {
  if (request.device === 'cpu') return create(request, 'cpu', portable);
  try {
    return await create(request, 'cuda', true);
  } catch (error) {
    if (error instanceof RopeEvalError) throw error;
    if (request.device === 'auto') return create(request, 'cpu', portable);
    throw new RopeEvalError(
      `CUDA is not available: ${firstLine(error)}`,
      EXIT.runtime,
      'cuda_unavailable',
      '--device',
      'It needs an NVIDIA GPU, CUDA and cuDNN, and the CUDA files of onnxruntime-node on Linux x64 ' +
        '(npm rebuild onnxruntime-node --onnxruntime-node-install=cuda12); `rope-eval doctor` says ' +
        'what is missing. --device cpu needs none of it.',
    );
  }
}
