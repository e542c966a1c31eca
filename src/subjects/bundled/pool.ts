import { fileURLToPath } from 'node:url';
import { option, RopeEvalError, words } from '../../errors.js';
import { Worker, type WorkerOptions } from '../worker.js';
import type { Batch, ProbeEngine, EngineInfo, EngineRequest, Scores } from './engine.js';
import { filesOf } from './family.js';
import { openSession } from './session.js';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

function died(reason: string): RopeEvalError {
  return new RopeEvalError('engine_died', {
    problem: `the probe engine stopped: ${reason}`,
    hint: words`Out of memory is the usual cause: try a smaller ${option('samples')} or ${option('target')}.`,
  });
}

/**
 * Opens a probe model in its own process.
 *
 * @throws RopeEvalError as `openSession`
 */
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
