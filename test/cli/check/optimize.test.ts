import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OptimizationSchema } from '../../../src/gate/optimize.js';
import { configText, fixtureText } from '../../emit/input.js';
import { runCli } from '../../helpers/environment.js';
import { errorAt, optionsIn } from '../../helpers/errors.js';
import { optimize } from '../../helpers/optimize.js';
import { makeReport } from '../../helpers/report.js';
import { temporaryFolder } from '../../helpers/temporary.js';

/** Searches for its result as data. */
async function searched(...given: Parameters<typeof optimize>) {
  const [args, loss] = given;
  const { stdout } = await optimize([...args, '--json'], loss);
  return OptimizationSchema.parse(JSON.parse(stdout));
}

describe('--target N --optimize', () => {
  it('names the smallest factor that passes, and a setting per length', async () => {
    expect((await optimize(['--target', '128k'], 0.01)).code).toBe(0);
    const { best, perLength, policy } = await searched(['--target', '128k'], 0.01);
    expect({ candidate: best?.candidate, policy }).toEqual({
      candidate: 'yarn:4',
      policy: 'default',
    });
    expect(perLength).toEqual([
      { upTo: 32_768, candidate: 'none' },
      { upTo: 65_536, candidate: 'yarn:2' },
      { upTo: 131_072, candidate: 'yarn:4' },
    ]);
  });

  it('takes the cheapest of the scalings that pass with the same factor', async () => {
    const losses = { dynamic: 0, yarn: 0.01, ntk: 0.4, linear: 0.4 };
    const { best, trials } = await searched(['--target', '128k'], losses);
    expect(best?.candidate).toBe('dynamic:4');
    const passed = trials.filter(({ passes, factor }) => passes && factor === 4);
    expect(passed.map(({ candidate }) => candidate).sort()).toEqual(['dynamic:4', 'yarn:4']);
  });

  it('exits with 1 where nothing passes', async () => {
    expect((await optimize(['--target', '128k'], 0.4)).code).toBe(1);
    expect((await searched(['--target', '128k'], 0.4)).best).toBeNull();
  });

  it.each([
    [[], 'target'],
    [['--target', '128k', '--candidates', 'yarn:4'], 'candidates'],
    [['--target', '128k', '--factor', '4'], 'factor'],
  ])('exits with 2 on %j', async (args, option) => {
    const { code, error } = await optimize(args, 0);
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('usage', { option }));
    expect(optionsIn(error)).toContain('optimize');
  });
});

it('takes another policy with --policy, which has no effect without a search', async () => {
  const { best, policy } = await searched(['--target', '128k', '--policy', 'other.json'], 0.4);
  expect(policy).toBe('other.json');
  expect(best).not.toBeNull();
  const alone = await runCli(['config.json', '--policy', 'other.json']);
  expect(alone).toMatchObject({ code: 2, calls: [] });
  expect(alone.error).toEqual(errorAt('no_effect', { option: 'policy' }));
  expect(optionsIn(alone.error)).toContain('optimize');
});

it('prints no table of half a search', async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'config.json'), configText('Qwen2.5-7B-Instruct'));
  const { code, stdout, stderr } = await runCli(['config.json', '--optimize', '--target', '128k'], {
    cwd,
    evaluate: async () => makeReport({ status: 'interrupted' }),
  });
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toContain('interrupted');
});

it('has nothing to look for where no layer looks farther than its window', async () => {
  const ran = await runCli(['-', '--optimize', '--target', '64k'], {
    stdin: fixtureText('Mistral-7B-v0.1'),
  });
  expect(ran).toMatchObject({ code: 2, stdout: '', calls: [] });
  expect(ran.error).toEqual(errorAt('local_only', { option: 'optimize' }));
});

it('shows the units of a report, in lines that fit', async () => {
  const { stdout } = await optimize(['--target', '128k'], 0.01);
  expect(stdout).toMatch(/yarn:4 .*\+0\.010 nats .* pts .* % /);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});
