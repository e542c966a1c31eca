import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeProgress } from '../../src/cli/run.js';
import { evaluate } from '../../src/evaluate.js';
import type { Progress } from '../../src/options.js';

// The clock of these runs counts the finished work. docs/performance.md shows that time is
// proportional to it.
it.each(['Meta-Llama-3-8B-Instruct', 'Qwen2.5-7B-Instruct'])(
  'says within a fifth in the second half how long a run on %s will take',
  async (model) => {
    const seen: Progress[] = [];
    await evaluate(readFileSync(`configs/${model}.json`, 'utf8'), {
      preset: 'quick',
      threads: 1,
      worker: false,
      device: 'cpu',
      onProgress: (progress) => seen.push(progress),
    });
    const end = seen.at(-1)!.done;
    const late = seen.filter(({ done }) => done > end / 2);
    expect(late.length).toBeGreaterThan(20);
    for (const { total } of late) expect(Math.abs(total / end - 1)).toBeLessThan(0.2);
  },
);

it('turns shares of the work into time left', () => {
  expect(describeProgress({ done: 50, total: 100, label: 'a' }, 30_000)).toContain('30 s left');
});
