import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { messageOf, option, RopeEvalError, words } from '../../errors.js';
import { type Provider, PROVIDERS } from '../../probes/presets.js';
import { Worker, type WorkerOptions } from '../worker.js';
import type { Batch, EngineInfo, EngineRequest, ProbeEngine, Scores } from './engine.js';
import { filesOf, loadFamily } from './family.js';
import { loadRuntime, openSession } from './session.js';

/** What `rope-eval doctor` shows about the runtime; the result of `describeRuntime`. */
export interface RuntimeDescription {
  /** The version of onnxruntime-node; null if it cannot be loaded. */
  readonly onnxruntime: string | null;
  /** Why it cannot be loaded; absent if it can. */
  readonly loadError?: string;
  /** The folder with the native libraries; null if there is none for this platform. */
  readonly libraryFolder: string | null;
  readonly providers: readonly ProviderDescription[];
  /** The attempt to load a bundled model on the CPU. */
  readonly trial: SessionTrial;
  /** The same on CUDA; absent if CUDA's library is not on disk. */
  readonly cudaTrial?: SessionTrial;
  readonly probeModels: readonly string[];
}

/** An execution provider, and whether its library is installed. */
export interface ProviderDescription {
  readonly name: Provider;
  readonly library: string;
  /** Whether the library is on disk. The runtime's own list does not prove it. */
  readonly present: boolean;
}

/** The result of an attempt to load a bundled model. */
export type SessionTrial =
  | { readonly ok: true; readonly model: string; readonly milliseconds: number }
  | { readonly ok: false; readonly error: string };

/** The library of each provider, by platform. That of the CPU is the runtime itself. */
const LIBRARIES: Readonly<Record<string, { cpu: string; cuda: string }>> = Object.freeze({
  linux: { cpu: 'libonnxruntime.so.1', cuda: 'libonnxruntime_providers_cuda.so' },
  win32: { cpu: 'onnxruntime.dll', cuda: 'onnxruntime_providers_cuda.dll' },
  darwin: { cpu: 'libonnxruntime.dylib', cuda: 'libonnxruntime_providers_cuda.dylib' },
});

async function attempt(member: string, device: Provider): Promise<SessionTrial> {
  const start = performance.now();
  try {
    const engine = await openSession({ member, device, threads: 1 });
    await engine.close();
    return { ok: true, model: member, milliseconds: performance.now() - start };
  } catch (error) {
    return { ok: false, error: messageOf(error) };
  }
}

/** Describes the runtime after trying it out, because it lists CUDA even if that is missing. */
export async function describeRuntime(platform: string, arch: string): Promise<RuntimeDescription> {
  const require = createRequire(import.meta.url);
  const root = dirname(dirname(require.resolve('onnxruntime-node')));
  const folder = join(root, 'bin', 'napi-v6', platform, arch);
  const names = LIBRARIES[platform];
  const providers = PROVIDERS.map((name) => {
    const library = names?.[name] ?? `onnxruntime (${name})`;
    return { name, library, present: existsSync(join(folder, library)) };
  });
  const family = await loadFamily();
  const member = family.members[0]!.name;
  const base = {
    libraryFolder: existsSync(folder) ? folder : null,
    providers,
    probeModels: family.members.map((m) => m.name),
    trial: await attempt(member, 'cpu'),
  };
  try {
    await loadRuntime();
  } catch (error) {
    return { onnxruntime: null, loadError: messageOf(error), ...base };
  }
  const { version } = require(join(root, 'package.json')) as { version: string };
  const cuda = providers.some((p) => p.name === 'cuda' && p.present);
  return {
    onnxruntime: version,
    ...base,
    ...(cuda ? { cudaTrial: await attempt(member, 'cuda') } : {}),
  };
}

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

function died(reason: string): RopeEvalError {
  return new RopeEvalError('engine_died', {
    problem: `the probe engine stopped: ${reason}`,
    hint: words`Out of memory is the usual cause: try a smaller ${option('samples')} or ${option('target')}.`,
  });
}

/** Opens a probe model in its own process. @throws RopeEvalError as `openSession` */
export async function openProcess(
  request: EngineRequest,
  limits: Omit<WorkerOptions, 'died'> = {},
): Promise<ProbeEngine> {
  const worker = new Worker(CHILD, { died, ...limits });
  try {
    const files = request.graph === 'encodings' ? undefined : await filesOf(request.member);
    const first: EngineRequest = { ...request, ...(files && { files }), flushesDenormals: true };
    return {
      info: (await worker.ask(first)) as EngineInfo,
      run: async (batch: Batch) => (await worker.ask(batch)) as Scores,
      close: () => worker.close(),
    };
  } catch (error) {
    await worker.close();
    throw error;
  }
}

/**
 * Runs several engines side by side. On small matrices, threads that each run whole batches are
 * faster than threads that share every operator. An engine with one thread also gives the same
 * results however many engines there are.
 */
class Pool implements ProbeEngine {
  readonly lanes: number;
  readonly #free: ProbeEngine[];

  constructor(
    private readonly engines: readonly ProbeEngine[],
    readonly info: EngineInfo,
  ) {
    this.lanes = engines.length;
    this.#free = [...engines];
  }

  async run(batch: Batch): Promise<Scores> {
    const engine = this.#free.pop();
    if (!engine) throw new Error(`more runs at once than the ${this.lanes} that there are engines`);
    try {
      return await engine.run(batch);
    } finally {
      this.#free.push(engine);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.engines.map((engine) => engine.close()));
  }
}

/** The memory that the engines of a run may use together, in MiB. */
const MEMORY = 1500;

/**
 * The memory of one engine in MiB, as measured (docs/performance.md, "Memory"). The family's grows
 * with chunks of the scores, and the encodings' with all T x T of them.
 */
const MEMORY_OF = Object.freeze({
  family: (longest: number) => 85 + longest / 28,
  encodings: (longest: number) => 90 + longest ** 2 / 10_000,
});

/**
 * Opens a probe model in as many processes as the request has threads and the memory allows; on a
 * GPU, in a single one.
 *
 * @param longest length of the longest context that it will be given, tokens
 * @throws RopeEvalError as `openSession`
 */
export async function openPool(
  request: EngineRequest,
  longest: number,
  limits: Omit<WorkerOptions, 'died'> = {},
): Promise<ProbeEngine> {
  const memory = MEMORY_OF[request.graph ?? 'family'](longest);
  const count = Math.max(1, Math.min(request.threads, Math.floor(MEMORY / memory)));
  const threads = Math.floor(request.threads / count);
  const engines = [
    openProcess({ ...request, threads }, limits),
    // The others open while the first one may look for a GPU, so that nothing waits if there is
    // none.
    ...Array.from({ length: request.device === 'cuda' ? 0 : count - 1 }, () =>
      openProcess({ ...request, device: 'cpu', threads }, limits),
    ),
  ];
  const opened = await Promise.allSettled(engines);
  const [first, ...others] = opened.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []));
  const failed = opened.find((o) => o.status === 'rejected');
  if (failed) {
    await Promise.all([first, ...others].map((engine) => engine?.close()));
    throw failed.reason;
  }
  const { info } = first!;
  if (info.device === 'cpu')
    return new Pool([first!, ...others], { ...info, threads: request.threads });
  await Promise.all(others.map((engine) => engine.close()));
  return first!;
}

/**
 * Returns how a run opens its engines: in their own processes, or in this one.
 *
 * @param worker false: in this process
 * @param longest length of the longest context that they will be given, tokens
 */
export function opener(
  worker: boolean | undefined,
  longest: number,
): (request: EngineRequest) => Promise<ProbeEngine> {
  return worker === false ? openSession : (request) => openPool(request, longest);
}
