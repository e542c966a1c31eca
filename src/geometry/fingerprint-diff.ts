import type { RopeTable } from '../rope/index.js';
import type { DiffOptions, FingerprintDiff } from './diff-types.js';
import type { EngineDump } from './engine-dump.js';
import { diffFrequencies } from './frequency-diff.js';
import { diffRows } from './row-diff.js';

/**
 * Compares a rotary table with numbers dumped from an engine.
 *
 * @throws RopeEvalError with exit code 2 where the number of values does not fit the table
 */
export function diffFingerprint(
  table: RopeTable,
  dump: EngineDump,
  options: DiffOptions,
): FingerprintDiff {
  return dump.key === 'inv_freq'
    ? diffFrequencies(table, dump, options)
    : diffRows(table, dump, options);
}
