import { Worker } from 'node:worker_threads';
import { EXIT, RopeEvalError } from '../errors.js';
import type { Batch, Engine, EngineInfo, EngineRequest, Scores } from './types.js';

interface Message {
  readonly info?: EngineInfo;
  readonly scores?: Scores;
  readonly failure?: {
    readonly known?: ConstructorParameters<typeof RopeEvalError>;
    readonly message?: string;
  };
}

function died(reason: string): RopeEvalError {
  return new RopeEvalError(
    `The probe engine stopped: ${reason}.`,
    EXIT.runtime,
    'engine_died',
    '',
    'Out of memory is the usual cause: try a smaller --samples or --target.',
  );
}

/** The engine in a worker thread, so that timers and signals keep working while it runs. */
class ThreadEngine implements Engine {
  info!: EngineInfo;
  #settle: { resolve(m: Message): void; reject(e: Error): void } | undefined;
  #dead: RopeEvalError | undefined;

  constructor(private readonly worker: Worker) {
    worker.on('message', (m: Message) => this.#take()?.resolve(m));
    worker.on('error', (error) => this.#fail(died(error.message)));
    worker.on('exit', (code) => this.#fail(died(`its thread ended with code ${code}`)));
  }

  #take() {
    const settle = this.#settle;
    this.#settle = undefined;
    return settle;
  }

  #fail(error: RopeEvalError): void {
    this.#dead ??= error;
    this.#take()?.reject(this.#dead);
  }

  async next(): Promise<Message> {
    if (this.#dead) throw this.#dead;
    const message = await new Promise<Message>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const { failure } = message;
    if (failure?.known) throw new RopeEvalError(...failure.known);
    if (failure) throw died(failure.message ?? 'unknown reason');
    return message;
  }

  async run(batch: Batch): Promise<Scores> {
    if (this.#dead) throw this.#dead;
    this.worker.postMessage(batch);
    return (await this.next()).scores!;
  }

  async close(): Promise<void> {
    this.#dead ??= died('it was closed');
    await this.worker.terminate();
  }
}

/** Opens a probe model in a worker thread. Errors as `openSession`. */
export async function openThread(request: EngineRequest): Promise<Engine> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: request });
  const engine = new ThreadEngine(worker);
  try {
    engine.info = (await engine.next()).info!;
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}
