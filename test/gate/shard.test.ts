import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseShard, shardOf } from '../../src/gate/sweep.js';

describe('shards', () => {
  it('hold every config once, whatever the order they were found in', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 7 }), (paths, count) => {
        const shards = Array.from({ length: count }, (_, i) =>
          shardOf([...paths].reverse(), { index: i + 1, count }),
        );
        expect(shards.flat().sort()).toEqual([...paths].sort());
        expect(shardOf(paths, { index: 1, count })).toEqual(shards[0]);
      }),
    );
  });

  it.each(['0/4', '5/4', '1', 'a/b', '1/0'])('%s is refused', (text) => {
    expect(() => parseShard(text)).toThrow(/option shard/);
  });
});
