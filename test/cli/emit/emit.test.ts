import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../helpers/environment.js';
import { errorAt } from '../../helpers/errors.js';
import { temporaryFolder } from '../../helpers/temporary.js';
import { configText, fixtureText } from '../../emit/input.js';

const qwen = configText('Qwen2.5-7B-Instruct');

async function emit(args: readonly string[], text = qwen) {
  const cwd = await temporaryFolder();
  const path = join(cwd, 'config.json');
  await writeFile(path, text);
  const ran = await runCli(['emit', 'config.json', ...args], { cwd });
  return { ...ran, file: await readFile(path, 'utf8') };
}

describe('rope-eval emit', () => {
  it('prints every engine for the length that the scaling reaches', async () => {
    const { code, stdout } = await emit(['yarn:4']);
    expect(code).toBe(0);
    for (const text of [
      'rope_scaling',
      'vllm serve',
      'sglang.launch_server',
      'llama-server',
      'text-generation-launcher',
    ]) {
      expect(stdout).toContain(text);
    }
    expect(stdout).toContain('131,072 tokens');
  });

  it('is JSON with --json', async () => {
    const { stdout } = await emit(['yarn:4', '--json', '--engine', 'vllm']);
    expect(JSON.parse(stdout)).toMatchObject({
      length: 131_072,
      emissions: [{ engine: 'vllm', ok: true }],
    });
  });

  it('edits the file, and touches nothing else in it', async () => {
    const { code, file, stdout } = await emit(['yarn:4', '--write']);
    expect(code).toBe(0);
    expect(stdout).toContain('rope_scaling');
    expect(JSON.parse(file)).toEqual({
      ...(JSON.parse(qwen) as object),
      rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32768 },
      max_position_embeddings: 131_072,
    });
  });

  it('says as JSON what --write has written', async () => {
    const { code, file, stdout } = await emit(['yarn:4', '--write', '--json']);
    expect(code).toBe(0);
    const value = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32768 };
    expect(JSON.parse(stdout)).toEqual({
      candidate: 'yarn:4',
      config: 'config.json',
      length: 131_072,
      form: 'v4',
      written: [
        { path: 'rope_scaling', value },
        { path: 'max_position_embeddings', value: 131_072 },
      ],
      removed: [],
    });
    expect(JSON.parse(file)).toMatchObject({ rope_scaling: value });
  });

  it('exits with 2 where the engine cannot express it', async () => {
    const { code, error } = await emit(['dynamic:4', '--engine', 'llama.cpp']);
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('not_expressible', { option: 'engine' }));
  });

  it('exits with 2 where the class would not read what --write wrote', async () => {
    const gptj = fixtureText('gpt-j-6b');
    for (const [option, ...value] of [['write'], ['engine', 'hf']] as const) {
      const { code, error, file } = await emit(['yarn:4', `--${option}`, ...value], gptj);
      expect(code).toBe(2);
      expect(error).toEqual(errorAt('not_expressible', { option }));
      expect(file).toBe(gptj);
    }
  });

  it('says which form can express it', async () => {
    const bert = fixtureText('modernbert-base');
    const { code, error, stderr, file } = await emit(['yarn:4', '--write', '--form', 'v4'], bert);
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('not_expressible', { option: 'form' }));
    expect(stderr).toMatch(/--form v5/);
    expect(file).toBe(bert);
  });

  it('keeps the older form of a file whose class reads it for the global layers', async () => {
    const { file } = await emit(['yarn:4', '--write'], configText('gemma-3-1b-it'));
    const written = JSON.parse(file) as Record<string, unknown>;
    expect(written['rope_scaling']).toMatchObject({ rope_type: 'yarn', factor: 4 });
    expect(written).not.toHaveProperty('rope_parameters');
  });

  it.each([
    [['yarm:4'], errorAt('unknown_candidate')],
    [['theta:5e6'], errorAt('usage', { option: 'target' })],
    [['yarn:4,linear:2'], errorAt('too_many_candidates')],
    [['yarn:4', '--form', 'v5'], errorAt('no_effect', { option: 'form' })],
    [
      ['yarn:4', '--write', '--engine', 'vllm'],
      errorAt('no_effect', { option: 'engine', value: 'vllm' }),
    ],
  ])('exits with 2 on %j', async (args, expected) => {
    const { code, error, file } = await emit(args);
    expect(code).toBe(2);
    expect(error).toEqual(expected);
    expect(file).toBe(qwen);
  });
});
