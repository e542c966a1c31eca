import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { OptimizationSchema } from '../../../src/gate/optimize.js';
import { configText, fixtureText } from '../../emit/input.js';
import { runCli } from '../../helpers/environment.js';
import { candidate, makeReport, short } from '../../helpers/report.js';
import { temporaryFolder } from '../../helpers/temporary.js';

async function optimize(args: readonly string[], loss: number | Readonly<Record<string, number>>) {
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

describe('--target N --optimize', () => {
  it('names the smallest factor that passes, and a setting per length', async () => {
    const { code, stdout } = await optimize(['--target', '128k'], 0.01);
    expect(code).toBe(0);
    expect(stdout).toContain('Use yarn:4: the smallest factor that passes the default policy');
    expect(stdout).toContain('32k: none; 64k: yarn:2; 128k: yarn:4');
    expect(stdout).not.toContain('recomputed');
  });

  it('says that a dynamic scaling holds where keys are recomputed, and what else passes', async () => {
    const losses = { dynamic: 0, yarn: 0.01, ntk: 0.4, linear: 0.4 };
    const { stdout } = await optimize(['--target', '128k'], losses);
    expect(stdout).toContain('Use dynamic:4: the smallest factor');
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /keys are recomputed at each length.* one table for all lengths, yarn:4 passes first\./,
    );
  });

  it('exits with 1 where nothing passes', async () => {
    const { code, stdout } = await optimize(['--target', '128k'], 0.4);
    expect(code).toBe(1);
    expect(stdout).toContain('Nothing passes');
  });

  it('is JSON with --json', async () => {
    const { stdout } = await optimize(['--target', '128k', '--json'], 0.01);
    expect(OptimizationSchema.parse(JSON.parse(stdout)).best?.candidate).toBe('yarn:4');
  });

  it.each([
    [[], /needs a length/],
    [['--target', '128k', '--candidates', 'yarn:4'], /chooses the candidates itself/],
    [['--target', '128k', '--factor', '4'], /looks for the factor itself/],
  ])('exits with 2 on %j', async (args, message) => {
    const { code, stderr } = await optimize(args, 0);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

it('takes another policy with --policy, which has no effect without a search', async () => {
  const { code, stdout } = await optimize(['--target', '128k', '--policy', 'other.json'], 0.4);
  expect(code).toBe(0);
  expect(stdout).toContain('passes other.json');
  const alone = await runCli(['config.json', '--policy', 'other.json']);
  expect(alone).toMatchObject({ code: 2, calls: [] });
  expect(alone.stderr).toContain('--policy has no effect without --optimize');
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
  expect(ran.stderr).toMatch(/no layer of mistral.*no scaling helps/s);
});

it('shows the units of a report, in lines that fit', async () => {
  const { stdout } = await optimize(['--target', '128k'], 0.01);
  expect(stdout).toMatch(/yarn:4 .*\+0\.010 nats .* pts .* % /);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});
