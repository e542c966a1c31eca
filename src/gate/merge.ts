import { z } from 'zod';
import { isRecord, parseConfig } from '../config/json.js';
import { RopeEvalError } from '../errors.js';
import { SweepSchema, type Sweep, type SweepEntry } from './sweep-schema.js';

/** Reads one part of a sweep. */
export function parseSweep(text: string, source: string): Sweep {
  const value = parseConfig(text, { source });
  const parsed = SweepSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const hint =
    isRecord(value) && Object.hasOwn(value, 'candidates')
      ? 'This is a single report; merge takes the files that rope-eval sweep writes.'
      : 'Make one with rope-eval sweep … -o part.json.';
  throw new RopeEvalError(
    `${source} is not a part of a sweep: ${z.prettifyError(parsed.error)}`,
    2,
    'bad_sweep',
    source,
    hint,
  );
}

export interface Merged {
  readonly sweep: Sweep;
  /** Shards that no file brought. */
  readonly missing: readonly number[];
}

/**
 * Joins the parts of a sweep.
 *
 * @throws RopeEvalError `not_comparable` (exit 3) where parts come from different sweeps, and
 *   `duplicate_shard` where one part comes twice
 */
export function mergeSweeps(
  parts: readonly { readonly source: string; readonly sweep: Sweep }[],
): Merged {
  const [first] = parts;
  if (!first) throw new RopeEvalError('merge needs at least one file', 2, 'usage');
  const seen = new Map<number, string>();
  for (const { source, sweep } of parts) {
    assertSameSweep(first, { source, sweep });
    for (const shard of sweep.shards.present) {
      const other = seen.get(shard);
      if (other !== undefined) {
        throw new RopeEvalError(
          `${source} and ${other} both hold shard ${shard}/${sweep.shards.count}`,
          2,
          'duplicate_shard',
          source,
        );
      }
      seen.set(shard, source);
    }
  }
  const { count } = first.sweep.shards;
  const all = Array.from({ length: count }, (_, index) => index + 1);
  const missing = all.filter((shard) => !seen.has(shard));
  const finished = parts.every(({ sweep }) => sweep.status === 'complete');
  return {
    sweep: {
      ...first.sweep,
      status: finished && missing.length === 0 ? 'complete' : 'interrupted',
      shards: { count, present: [...seen.keys()].sort((a, b) => a - b) },
      entries: parts.flatMap(({ sweep }) => sweep.entries).sort(byConfig),
    },
    missing,
  };
}

function assertSameSweep(
  a: { readonly source: string; readonly sweep: Sweep },
  b: { readonly source: string; readonly sweep: Sweep },
): void {
  const conditions: readonly (readonly [string, (sweep: Sweep) => string | number])[] = [
    ['rope-eval version', (sweep) => sweep.tool.version],
    ['number of shards', (sweep) => sweep.shards.count],
    ['number of configs', (sweep) => sweep.configsTotal],
  ];
  for (const [what, read] of conditions) {
    if (read(a.sweep) === read(b.sweep)) continue;
    throw new RopeEvalError(
      `${a.source} and ${b.source} are not parts of one sweep: ${what} ${read(a.sweep)} and ${read(b.sweep)}`,
      3,
      'not_comparable',
      b.source,
    );
  }
}

function byConfig(a: SweepEntry, b: SweepEntry): number {
  return a.config < b.config ? -1 : 1;
}
