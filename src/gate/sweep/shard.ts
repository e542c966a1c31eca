import { RopeEvalError } from '../../errors.js';

/** Part `index` of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** Reads `1/4`. */
export function parseShard(text: string): Shard {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (!(shard.count >= 1 && shard.index >= 1 && shard.index <= shard.count)) {
    throw new RopeEvalError('bad_shard', {
      option: 'shard',
      value: `'${text}'`,
      predicate: 'is not a part of a whole',
      hint: 'Write 1/4 for the first of four parts.',
    });
  }
  return shard;
}

/**
 * The shard's share of a list. Dealt like cards, from the sorted list: every machine that sees the
 * same files takes the same ones, and neighbours (sizes of one model) spread over the shards.
 */
export function shardOf(paths: readonly string[], shard: Shard): readonly string[] {
  return [...new Set(paths)]
    .sort((a, b) => (a < b ? -1 : 1))
    .filter((_, position) => position % shard.count === shard.index - 1);
}

/** How many of a list of `total` are the shard's. */
export function shardSize(total: number, { index, count }: Shard): number {
  return Math.max(0, Math.ceil((total - index + 1) / count));
}
