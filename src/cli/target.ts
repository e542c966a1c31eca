import type { Reference } from '../config/types.js';
import { EXIT, RopeEvalError } from '../errors.js';
import { tokens } from '../report/format.js';

/** The length to compare at: as given, or the largest factor times the trained window. */
export function chooseTarget(
  reference: Reference,
  target: number | undefined,
  factors: readonly number[] | undefined,
): number | undefined {
  const { trainedWindow } = reference;
  if (target === undefined) {
    return factors && Math.round(Math.max(...factors) * trainedWindow);
  }
  if (target >= trainedWindow) return target;
  throw new RopeEvalError(
    `--target ${target} lies inside the trained window of ${trainedWindow} tokens: ` +
      'the weights reach it without a scaling',
    EXIT.usage,
    'target_within_window',
    '--target',
    `For lengths up to ${tokens(trainedWindow)} write no scaling. Give a longer --target, or ` +
      '--trained-window where the weights know less than the config says.',
  );
}
