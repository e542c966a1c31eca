import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runCli } from '../helpers/environment.js';
import { errorAt } from '../helpers/errors.js';

const CONFIG = 'configs/Llama-2-7b-hf.json';

describe('an argument too many', () => {
  it.each([
    ['check', [CONFIG]],
    ['inspect', [CONFIG]],
    ['fingerprint', [CONFIG]],
    ['emit', [CONFIG, 'yarn:4']],
    ['compare', ['a.json', 'b.json']],
    ['explain', ['RE001']],
    ['schema', ['report']],
    ['doctor', []],
    ['encodings', []],
  ])('is refused by %s', async (command, args) => {
    const ran = await runCli([command, ...args, 'extra.json']);
    expect(ran).toMatchObject({ code: 2, stdout: '', calls: [] });
    expect(ran.error).toEqual(errorAt('too_many_arguments'));
    expect(ran.stderr).toContain(`error: ${command} takes`);
    expect(ran.stderr).toContain('extra.json');
  });

  it('names a way to check several configs', async () => {
    const { stderr } = await runCli(['check', 'a.json', 'b.json']);
    const [, loop = ''] = /(for c in .*?; done)/.exec(stderr) ?? [];
    const told = execFileSync('bash', ['-c', `rope-eval() { echo "$*"; }; ${loop}`]);
    expect(told.toString()).toBe('check a.json\ncheck b.json\n');
    expect(stderr).toContain('rope-eval sweep');
  });
});

it('points to the help of the command that was called', async () => {
  const { stderr } = await runCli(['inspect', CONFIG, '--nonsense']);
  expect(stderr).toContain('(rope-eval inspect --help ');
});

it('says where lengths go', async () => {
  const { code, stderr } = await runCli([CONFIG, '--optimize', '8192,32768']);
  expect(code).toBe(2);
  expect(stderr).toContain(`rope-eval ${CONFIG} --target 32768`);
});
