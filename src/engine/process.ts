import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EXIT, RopeEvalError } from '../errors.js';
import type { Answer } from './child.js';
import type { Batch, Engine, EngineInfo, EngineRequest, Scores } from './types.js';

function died(reason: string): RopeEvalError {
  return new RopeEvalError(
    `the probe engine stopped: ${reason}`,
    EXIT.runtime,
    'engine_died',
    '',
    'Out of memory is the usual cause: try a smaller --samples or --target.',
  );
}

/** The engine in a process of its own, so that timers and signals keep working while it runs. */
class ProcessEngine implements Engine {
  info!: EngineInfo;
  #settle: { resolve(a: Answer): void; reject(e: Error): void } | undefined;
  #dead: RopeEvalError | undefined;

  constructor(private readonly child: ChildProcess) {
    child.on('message', (a) => this.#take()?.resolve(a as Answer));
    child.on('error', (error) => this.#fail(died(error.message)));
    child.on('exit', (code, signal) =>
      this.#fail(died(signal ? `it was killed (${signal})` : `it ended with code ${code}`)),
    );
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

  async ask(message: EngineRequest | Batch): Promise<Answer> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      if (this.#dead) return reject(this.#dead);
      this.#settle = { resolve, reject };
      this.child.send(message, (error) => error && this.#fail(died(error.message)));
    });
    const { failure } = answer;
    if (failure?.known) throw new RopeEvalError(...failure.known);
    if (failure) throw died(failure.message ?? 'unknown reason');
    return answer;
  }

  async run(batch: Batch): Promise<Scores> {
    return (await this.ask(batch)).scores as Scores;
  }

  async close(): Promise<void> {
    this.#dead ??= died('it was closed');
    this.child.kill('SIGKILL'); // it holds nothing that must be saved
  }
}

/** Opens a probe model in a process of its own. Errors as `openSession`. */
export async function openProcess(request: EngineRequest): Promise<Engine> {
  const child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), [], {
    serialization: 'advanced', // typed arrays as they are
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const engine = new ProcessEngine(child);
  try {
    engine.info = (await engine.ask(request)).info as EngineInfo;
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}
