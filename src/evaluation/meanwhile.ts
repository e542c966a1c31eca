import type { Engine } from '../engine/index.js';

/**
 * Waits for an engine that opens in processes of its own, and makes something here in the meantime.
 *
 * @throws what `make` throws, with the engine closed, or what the opening failed with
 */
export async function meanwhile<T>(
  opening: Promise<Engine>,
  make: () => T,
): Promise<{ readonly engine: Engine; readonly made: T }> {
  try {
    const made = make();
    return { engine: await opening, made };
  } catch (error) {
    await opening.then(
      (engine) => engine.close(),
      () => {}, // nothing was opened
    );
    throw error;
  }
}
