import { openProcess } from './process.js';
import type { Batch, Engine, EngineInfo, EngineRequest, Scores } from './types.js';

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

/** MiB of one engine, measured at 1,280 to 10,240 tokens (docs/performance.md, "Memory"). */
const memoryOf = (longest: number): number => 90 + longest / 21;

/**
 * Opens a probe model in as many processes as the request has threads and memory allows; on a GPU in
 * a single one. Errors as `openSession`.
 *
 * @param longest context that it will be given, tokens
 */
export async function openPool(request: EngineRequest, longest: number): Promise<Engine> {
  const lanes = Math.max(1, Math.min(request.threads, Math.floor(MEMORY / memoryOf(longest))));
  const threads = Math.floor(request.threads / lanes);
  const first = await openProcess({ ...request, threads });
  if (first.info.device === 'cuda') return first;
  const others = Array.from({ length: lanes - 1 }, () =>
    openProcess({ ...request, device: 'cpu', threads }),
  );
  const opened = await Promise.allSettled(others);
  const engines = opened.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []));
  const failed = opened.find((o) => o.status === 'rejected');
  const pool = new Pool([first, ...engines], { ...first.info, threads: request.threads });
  if (!failed) return pool;
  await pool.close();
  throw failed.reason;
}
