import { describe, expect, it } from 'vitest';
import { describeProgress, describeProvisional } from '../../src/cli/run.js';
import type { Evaluate } from '../../src/options.js';
import { runCli } from '../helpers/environment.js';
import { makeReport } from '../helpers/report.js';

const CONFIG = 'configs/Llama-2-7b-hf.json';
const label = 'yarn:4 to 131072 tokens';

describe('the progress line', () => {
  it.each([
    [{ done: 0, total: 100, label }, 10, '0 % · yarn:4 to 131072 tokens'],
    [{ done: 37, total: 100, label }, 2350, '37 % · yarn:4 to 131072 tokens · about 4 s left'],
    [{ done: 10, total: 100, label }, 60_000, '10 % · yarn:4 to 131072 tokens · about 9 min left'],
    [{ done: 99, total: 100, label }, 1000, '99 % · yarn:4 to 131072 tokens · almost done'],
    [{ done: 0, total: 0, label }, 0, '0 % · yarn:4 to 131072 tokens'],
  ])('%j after %d ms', (progress, elapsed, expected) => {
    expect(describeProgress(progress, elapsed)).toBe(expected);
  });
});

it('tells what is known so far, of candidates alone', () => {
  const { candidates, recommendation } = makeReport();
  const lines = describeProvisional({ candidates, recommendation });
  const labels = candidates.filter(({ role }) => role === 'candidate').map(({ label }) => label);
  expect(lines).toHaveLength(1 + labels.length);
  expect(lines[0]).toContain(recommendation.candidate);
  labels.forEach((label, i) => expect(lines[i + 1]).toContain(label));
  expect(describeProvisional({ candidates: candidates.slice(0, 1), recommendation })).toEqual([]);
});

describe('the spinner', () => {
  const evaluate: Evaluate = async (_, options = {}) => {
    options.onProgress?.({ done: 1, total: 2, label });
    await new Promise((resolve) => setTimeout(resolve, 200));
    return makeReport();
  };

  it('shows on stderr at a terminal', async () => {
    const ran = await runCli([CONFIG], { terminal: true, evaluate });
    expect(ran.stderr).toContain('50 % · yarn:4 to 131072 tokens');
    expect(ran.stdout).not.toContain('50 %  ·');
  });

  it.each([
    ['in a pipe', [CONFIG], {}],
    ['with --quiet', [CONFIG, '--quiet'], { terminal: true }],
    ['with --json', [CONFIG, '--json'], { terminal: true }],
    ['in CI', [CONFIG], { terminal: true, env: { CI: '1' } }],
  ])('is silent %s', async (_, argv, options) => {
    expect((await runCli(argv, { ...options, evaluate })).stderr).toBe('');
  });
});
