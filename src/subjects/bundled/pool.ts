import { fileURLToPath } from 'node:url';
import { option, RopeEvalError, words } from '../../errors.js';
import { Worker, type WorkerOptions } from '../worker.js';
import type { Batch, Engine, EngineInfo, EngineRequest, Scores } from './engine.js';
import { filesOf } from './family.js';
import { openSession } from './session.js';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

function died(reason: string): RopeEvalError {
  return new RopeEvalError('engine_died', {
    problem: `the probe engine stopped: ${reason}`,
    hint: words`Out of memory is the usual cause: try a smaller ${option('samples')} or ${option('target')}.`,
  });
}

/** Opens a probe model in a process of its own. Errors as `openSession`. */
export async function openProcess(
  request: EngineRequest,
  limits: Omit<WorkerOptions, 'died'> = {},
): Promise<Engine> {
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
 * Engines side by side. On small matrices threads that run whole batches beat threads that share
 * each operator, and an engine of one thread gives the same results however many there are.
 */
class Pool implements Engine {
  readonly lanes: number;
  readonly #free: Engine[];

  constructor(
    private readonly engines: readonly Engine[],
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

/** MiB that the engines of a run may take together. */
const MEMORY = 1500;

/** MiB of one engine, as measured (docs/performance.md, "Memory"): scores of T x T, or chunks of them. */
const MEMORY_OF = Object.freeze({
  family: (longest: number) => 85 + longest / 28,
  encodings: (longest: number) => 90 + longest ** 2 / 10_000,
});

/**
 * Opens a probe model in as many processes as the request has threads and memory allows; on a GPU in
 * a single one. Errors as `openSession`.
 *
 * @param longest context that it will be given, tokens
 */
export async function openPool(
  request: EngineRequest,
  longest: number,
  limits: Omit<WorkerOptions, 'died'> = {},
): Promise<Engine> {
  const memory = MEMORY_OF[request.graph ?? 'family'](longest);
  const count = Math.max(1, Math.min(request.threads, Math.floor(MEMORY / memory)));
  const threads = Math.floor(request.threads / count);
  const engines = [
    openProcess({ ...request, threads }, limits),
    // Beside a first one that may look for a GPU, so that nothing waits where there is none.
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
 * How a run opens its engines: in processes of their own, or in this one.
 *
 * @param worker false: in this process
 * @param longest context that they will be given, tokens
 */
export function opener(
  worker: boolean | undefined,
  longest: number,
): (request: EngineRequest) => Promise<Engine> {
  return worker === false ? openSession : (request) => openPool(request, longest);
}
