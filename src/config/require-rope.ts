import { wordFinding } from '../finding-catalogue/index.js';
import { fail } from './fail.js';
import { isNotRope } from './read-model.js';
import type { ModelGeometry, NotRope } from './types.js';

/**
 * For everything that has nothing to say about a model without RoPE.
 *
 * @throws RopeEvalError `not_rope`
 */
export function requireRope(read: ModelGeometry | NotRope): ModelGeometry {
  if (!isNotRope(read)) return read;
  // The last finding is the one that names what the model uses.
  const why = read.findings.at(-1);
  fail(
    'not_rope',
    '',
    `${read.modelType} does not use RoPE${why === undefined ? '' : `: ${wordFinding({ ...why, path: '' })}`}`,
    'RoPE scalings have no effect on it. `rope-eval inspect` says more.',
  );
}
