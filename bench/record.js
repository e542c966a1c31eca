import { evaluate } from '../dist/evaluate.js';
import { openSession } from '../dist/subjects/bundled/session.js';

/**
 * Records the batches of a run on a config, with the CPU's answers.
 *
 * @param {string} config its JSON
 * @param {{ threads?: number, cutFor?: 'cpu' | 'cuda' }} options cutFor: the device whose batch
 *   sizes are used
 */
export async function record(config, { threads = 2, cutFor = 'cpu', ...options } = {}) {
  const batches = [];
  await evaluate(config, {
    ...options,
    threads,
    device: 'cpu',
    openEngine: async (request) => {
      const engine = await openSession(request);
      return {
        info: { ...engine.info, device: cutFor, member: request.member },
        run: async (batch) => {
          const scores = await engine.run(batch);
          const { logProbability: want, correct } = scores;
          batches.push({ batch, want, correct, member: request.member });
          return scores;
        },
        close: () => engine.close(),
      };
    },
  });
  return batches;
}
