import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configText } from '../emit/input.js';
import { runCli } from './environment.js';
import { candidate, makeReport, short } from './report.js';
import { temporaryFolder } from './temporary.js';

/**
 * Runs `--optimize` on a model of 32,768 tokens. Every candidate reaches its factor.
 *
 * @param loss nats at short lengths, of all candidates or by scaling
 */
export async function optimize(
  args: readonly string[],
  loss: number | Readonly<Record<string, number>>,
) {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'config.json'), configText('Qwen2.5-7B-Instruct'));
  await writeFile(join(cwd, 'other.json'), '{"rules": [["error", "needle@target >= 0.5"]]}');
  return runCli(['config.json', '--optimize', ...args], {
    cwd,
    evaluate: async (_, options) =>
      makeReport({
        candidates: [
          candidate('none', 'reference', 1, short(0, 0)),
          ...(options?.candidates ?? []).map(({ label }) => {
            const [method = '', factor] = label.split(':');
            const change = typeof loss === 'number' ? loss : (loss[method] ?? 0);
            return candidate(label, 'reaches', Math.min(4, Number(factor)), short(0, change));
          }),
        ],
      }),
  });
}
