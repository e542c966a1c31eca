import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../../src/report/schema/report.js';
import { type Ran, runCli } from '../../helpers/environment.js';
import { candidate, makeReport, short } from '../../helpers/report.js';
import { temporaryFolder } from '../../helpers/temporary.js';

const BASE = {
  model_type: 'qwen2',
  hidden_size: 3584,
  num_attention_heads: 28,
  num_key_value_heads: 4,
  num_hidden_layers: 28,
  max_position_embeddings: 32768,
  rope_theta: 1000000,
};

const reportOf = (accuracy: number, loss: number): Report =>
  makeReport({
    candidates: [
      candidate('none', 'reference', 1, short(0, 0)),
      candidate('as-configured', 'fails-short', 4, short(accuracy, loss)),
    ],
  });

/** The words of a command as a shell reads them. */
function wordsOf(command: string): string[] {
  return execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);
}

async function run(
  change: object,
  report: Report,
  argv: readonly string[] = [],
): Promise<{ first: Ran; again: (words: readonly string[]) => Promise<Ran> }> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'the config.json'), JSON.stringify({ ...BASE, ...change }, null, 2));
  await writeFile(join(cwd, "old's.json"), JSON.stringify(BASE, null, 2));
  await writeFile(join(cwd, 'policy.json'), '{"preset": "quick", "seed": 7, "target": 131072}');
  const options = { cwd, evaluate: async () => report, columns: 2000 };
  const check = ['check', 'the config.json', '--base', "old's.json", '--policy', 'policy.json'];
  return {
    first: await runCli([...check, ...argv], options),
    again: (words) => runCli(words, options),
  };
}

const LINEAR = { rope_scaling: { rope_type: 'linear', factor: 8 } };

describe('a command that advice prints', () => {
  it('compares at the length and against the reference of the verdict', async () => {
    const { first, again } = await run(LINEAR, reportOf(-0.4, 0.66));
    const [, command = ''] = /\((rope-eval .*?) compares them\)/.exec(first.stdout) ?? [];
    const [program, ...words] = wordsOf(command);
    expect(program).toBe('rope-eval');
    const second = await again(words);
    expect(second.code).toBe(0);
    const { base: wasBase, target, preset, seed } = first.calls[0]!.options;
    const { options } = second.calls[0]!;
    expect(options).toMatchObject({ target, preset, seed });
    expect(options.base).toEqual(wasBase);
  });

  it('judges again with more samples, by the same policy and rules', async () => {
    const rules = [
      '--rule',
      'short.lossChange <= 0.661',
      '--allow',
      'x y',
      '--severity',
      'RE062=off',
    ];
    const { first, again } = await run(LINEAR, reportOf(0, 0.66), rules);
    expect(first.code).toBe(1);
    const [, command = ''] = /would decide: (rope-eval check .*)/.exec(first.stdout) ?? [];
    const [program, ...words] = wordsOf(command);
    expect(program).toBe('rope-eval');
    const second = await again(words);
    expect(second.code).toBe(first.code);
    expect(second.calls[0]!.options.samples).toBeGreaterThan(0);
    const verdictOf = (text: string): string => text.split('\n')[0] ?? '';
    expect(verdictOf(second.stdout)).toBe(verdictOf(first.stdout));
  });

  it('is none where theta is the cause: no scaling makes up for it', async () => {
    const { first } = await run({ rope_theta: 1e4, ...LINEAR }, reportOf(-0.4, 0.66));
    expect(first.code).toBe(1);
    expect(first.stdout).toContain('(rope_theta): theta differs');
    expect(first.stdout).not.toContain('gentler scaling');
  });
});

it('a lying baseline makes no failing rule pass, and a false cell is refused', async () => {
  const cwd = await temporaryFolder();
  const bad = reportOf(-0.4, 0.66);
  const { first } = await run(LINEAR, bad);
  expect(first.code).toBe(1);
  await writeFile(join(cwd, 'config.json'), JSON.stringify({ ...BASE, ...LINEAR }));
  await writeFile(join(cwd, 'base.json'), JSON.stringify(BASE));
  await writeFile(join(cwd, 'lie.json'), JSON.stringify(bad));
  const judged = await runCli(
    ['check', 'config.json', '--base', 'base.json', '--baseline', 'lie.json'],
    { cwd, evaluate: async () => bad },
  );
  expect(judged.code).toBe(1);
  const false_ = structuredClone(bad);
  false_.candidates[1]!.needle[0]!.tokens = -5;
  await writeFile(join(cwd, 'lie.json'), JSON.stringify(false_));
  const refused = await runCli(
    ['check', 'config.json', '--base', 'base.json', '--baseline', 'lie.json'],
    { cwd, evaluate: async () => bad },
  );
  expect(refused.code).toBe(2);
});
