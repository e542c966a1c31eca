import { link, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configText, fixtureText } from '../../emit/input.js';
import { runCli } from '../../helpers/environment.js';
import { temporaryFolder } from '../../helpers/temporary.js';

async function emit(text: string, ...args: readonly string[]) {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'config.json'), text);
  return runCli(['emit', 'config.json', ...args], { cwd });
}

const field = (name: string): Promise<string> => readFile(`fixtures/field/${name}`, 'utf8');

describe('emit says', () => {
  const qwen = configText('Qwen2.5-7B-Instruct');

  it.each([
    ['an unknown scaling', qwen, ['yarm:4'], 'did you mean "yarn"'],
    ['no length', qwen, ['theta:5e6'], 'theta:5e6 says nothing about a length'],
    ['two scalings', qwen, ['yarn:4,linear:2'], 'one scaling is needed, found 2'],
    ['a form alone', qwen, ['yarn:4', '--form', 'v5'], '--form has no effect without --write'],
    [
      'an engine to write for',
      qwen,
      ['yarn:4', '--write', '--engine', 'vllm'],
      '--engine vllm has no effect with --write',
    ],
    [
      'an engine without it',
      qwen,
      ['dynamic:4', '--engine', 'llama.cpp'],
      '--engine: llama.cpp cannot express dynamic:4: ',
    ],
    [
      'a class without it',
      fixtureText('gpt-j-6b'),
      ['yarn:4', '--write'],
      'config.json cannot express yarn:4: gptj reads neither a scaling nor a theta',
    ],
    [
      'a form without it',
      fixtureText('modernbert-base'),
      ['yarn:4', '--write', '--form', 'v4'],
      'kinds of layers differ',
    ],
    ['an unknown engine', qwen, ['yarn:4', '--engine', 'vlm'], 'did you mean "vllm"'],
    [
      'a version alone',
      qwen,
      ['yarn:4', '--engine-version', '0.29'],
      '--engine-version has no effect without --engine',
    ],
    [
      'an unknown version',
      qwen,
      ['yarn:4', '--engine', 'vllm', '--engine-version', '0.7'],
      'vllm 0.7 is not known here',
    ],
    [
      'a version that is none',
      qwen,
      ['yarn:4', '--engine', 'vllm', '--engine-version', 'new'],
      'a version such as 0.30',
    ],
    [
      'an engine without versions',
      qwen,
      ['yarn:4', '--engine', 'ollama', '--engine-version', '1'],
      'ollama has no versions that are told apart',
    ],
  ])('what it cannot do: %s', async (_, text, args, message) => {
    expect((await emit(text, ...args)).stderr).toContain(message);
  });

  it.each([
    [
      '07-qwen3-32b.json',
      ['yarn:4', '--engine', 'ollama'],
      /no option for yarn.*\n.*convert it to/,
    ],
    [
      '07-qwen3-32b.json',
      ['yarn:4:truncate=false', '--write', '--engine', 'hf', '--engine-version', '4.53'],
      /would make something else.*\n.*4\.55 and later/,
    ],
  ])('what to do instead: %s %j', async (name, args, message) => {
    expect((await emit(await field(name), ...args)).stderr).toMatch(message);
  });

  it('that Mistral’s file is no config.json', async () => {
    const { stderr } = await emit(await field('02-params.json'), 'yarn:4', '--write');
    expect(stderr).toContain("Mistral's params.json");
    expect(stderr).toContain('Give the config.json of the same model');
  });

  it('that another name keeps the old text', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'config.json'), qwen);
    await link(join(cwd, 'config.json'), join(cwd, 'other.json'));
    const { stderr } = await runCli(['emit', 'config.json', 'yarn:4', '--write'], { cwd });
    expect(stderr).toContain('a new file now: 1 other name (hard links) keep the old text.');
  });

  it('that a key stands there twice', async () => {
    const text = '{"rope_scaling": null, "rope_scaling": null, ';
    const { stderr } = await emit(qwen.replace('{', text), 'yarn:4', '--write');
    expect(stderr).toContain('config.json has the key rope_scaling twice, and only the last');
  });

  it('that nothing is written where the file says it already', async () => {
    const { stdout } = await emit(await field('03-phi4-mini.json'), 'as-configured', '--write');
    expect(stdout).toContain('config.json says as-configured already: nothing written');
  });

  it.each([
    ['07-qwen3-32b.json', 'vllm', /^ {2}checked: yarn was run for qwen3 on 0\.29\.0/m],
    [
      '17b-phi2-orig.json',
      'vllm',
      /^ {2}not checked: yarn was run for other model types on 0\.29\.0/m,
    ],
    ['07-qwen3-32b.json', 'tgi', /^ {2}not checked: yarn was run on no version of tgi$/m],
  ])('which versions have run such a setting: %s, %s', async (name, engine, line) => {
    expect((await emit(await field(name), 'yarn:2', '--engine', engine)).stdout).toMatch(line);
  });
});
