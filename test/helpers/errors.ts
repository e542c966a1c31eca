import { expect } from 'vitest';
import {
  type ErrorKind,
  type ErrorPlace,
  type OptionName,
  RopeEvalError,
  type Words,
} from '../../src/errors.js';

/**
 * Matches an error by what it is and where: its kind and its place. What it says is tested in a
 * file `wording.test.ts`.
 */
export function errorAt(kind: ErrorKind, place: ErrorPlace = {}): unknown {
  return expect.objectContaining({ kind, details: expect.objectContaining(place) as unknown });
}

/** Options that an error mentions beside its place, by their names in the API. */
export function optionsIn(error: unknown): readonly string[] {
  if (!(error instanceof RopeEvalError)) throw new Error(`${String(error)} is no RopeEvalError`);
  const { details } = error;
  const said = 'predicate' in details ? details.predicate : details.problem;
  return [said, details.hint ?? ''].flatMap(namesIn);
}

function namesIn(said: Words): readonly string[] {
  if (typeof said === 'string') return [];
  return said
    .filter((part): part is OptionName => typeof part === 'object')
    .map(({ option }) => option);
}

/** Runs what must fail, and returns its error. */
export function caught(run: () => unknown): RopeEvalError {
  try {
    run();
  } catch (error) {
    if (error instanceof RopeEvalError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
