import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EXIT, RopeEvalError } from '../errors.js';
import type { Answer, Message } from './child.js';
import type { Batch, Engine, EngineInfo, EngineRequest, RotaryInputs, Scores } from './types.js';

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
  /** Who waits for an answer, in the order of the questions. */
  #waiting: { resolve(a: Answer): void; reject(e: Error): void }[] = [];
  #dead: RopeEvalError | undefined;
  #rotary: RotaryInputs | undefined;

  constructor(private readonly child: ChildProcess) {
    child.on('message', (a) => this.#waiting.shift()?.resolve(a as Answer));
    child.on('error', (error) => this.#fail(died(error.message)));
    child.on('exit', (code, signal) =>
      this.#fail(died(signal ? `it was killed (${signal})` : `it ended with code ${code}`)),
    );
  }

  #fail(error: RopeEvalError): void {
    this.#dead ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#dead);
  }

  async ask(message: Message): Promise<Answer> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      if (this.#dead) return reject(this.#dead);
      this.#waiting.push({ resolve, reject });
      this.child.send(message, (error) => error && this.#fail(died(error.message)));
    });
    const { failure } = answer;
    if (failure?.known) throw new RopeEvalError(...failure.known);
    if (failure) throw died(failure.message ?? 'unknown reason');
    return answer;
  }

  /** May be called again while a run is under way: the next one then waits at the engine. */
  async run(batch: Batch): Promise<Scores> {
    const { rotary, ...rest } = batch;
    // Most of a batch's bytes, and the same for all batches of a scaling: sent where they change.
    const message = rotary === this.#rotary ? rest : batch;
    this.#rotary = rotary;
    return (await this.ask(message)).scores as Scores;
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
