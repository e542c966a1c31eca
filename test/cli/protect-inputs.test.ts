import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../helpers/environment.js';
import { errorAt } from '../helpers/errors.js';
import { makeReport } from '../helpers/report.js';
import { temporaryFolder } from '../helpers/temporary.js';

async function folder() {
  const cwd = await temporaryFolder();
  const config = await readFile('configs/Llama-2-7b-hf.json', 'utf8');
  const report = JSON.stringify(makeReport());
  const policy = '{"rules": [["error", "needle@target >= 0.8"]]}';
  const gpt2 = JSON.stringify({ model_type: 'gpt2' });
  const files = { 'l.json': config, 'base.json': config, 'r.json': report, 'p.json': policy };
  for (const [name, text] of Object.entries({ ...files, 'gpt2.json': gpt2 }))
    await writeFile(join(cwd, name), text);
  await mkdir(join(cwd, 'model'));
  await writeFile(join(cwd, 'model', 'config.json'), config);
  await symlink('l.json', join(cwd, 'link.json'));
  await symlink('.', join(cwd, 'same'));
  return cwd;
}

describe('a file that is read', () => {
  it.each([
    ['the config', 'l.json', ['l.json', '-o', 'l.json']],
    ['the config', 'l.json', ['l.json', '-o', './same/l.json']],
    ['the config', 'l.json', ['l.json', '-o', 'link.json']],
    ['the config', 'l.json', ['link.json', '-o', 'l.json']],
    ['the config', 'model/config.json', ['model', '-o', 'model/config.json']],
    ['the config', 'gpt2.json', ['gpt2.json', '-o', 'gpt2.json']],
    [
      'longrope:base.json',
      'base.json',
      ['l.json', '--candidates', 'longrope:base.json', '-o', 'base.json'],
    ],
    [
      'the policy',
      'p.json',
      ['l.json', '--target', '16k', '--optimize', '--policy', 'p.json', '-o', 'p.json'],
    ],
    ['the config', 'l.json', ['check', 'l.json', '-o', 'l.json']],
    [
      'the config of --base',
      'base.json',
      ['check', 'l.json', '--base', 'base.json', '-o', 'base.json'],
    ],
    [
      'the config of --base',
      'model/config.json',
      ['check', 'l.json', '--base', 'model', '-o', 'model/config.json'],
    ],
    ['the policy', 'p.json', ['check', 'l.json', '--policy', 'p.json', '-o', 'p.json']],
    ['the baseline', 'r.json', ['check', 'l.json', '--baseline', 'r.json', '-o', 'r.json']],
    ['the config', 'l.json', ['check', 'l.json', '--baseline', 'l.json', '--update-baseline']],
    ['a config of the sweep', 'l.json', ['sweep', 'l.json', 'base.json', '-o', 'l.json']],
  ])('is not written over: %s %s, %j', async (what, file, argv) => {
    const cwd = await folder();
    const before = await readFile(join(cwd, file), 'utf8');
    const ran = await runCli(argv, { cwd });
    expect(ran).toMatchObject({ code: 2, stdout: '', calls: [] });
    expect(ran.stderr).toContain(`would overwrite ${what}\n`);
    expect(await readFile(join(cwd, file), 'utf8')).toBe(before);
  });

  it('may be replaced where that is the point of it', async () => {
    const cwd = await folder();
    const run = (...argv: string[]) => runCli(argv, { cwd });
    const unfinished = JSON.stringify(makeReport({ status: 'interrupted' }));
    await writeFile(join(cwd, 'part.json'), unfinished);
    expect((await run('l.json', '--resume', 'part.json', '-o', 'part.json')).code).toBe(0);
    const update = ['check', 'l.json', '--baseline', 'r.json', '--update-baseline'];
    expect((await run(...update, '-o', 'r.json')).stderr).not.toContain('overwrite');
  });
});

it('writes a sweep into .json alone', async () => {
  const cwd = await folder();
  const { code, error, calls } = await runCli(['sweep', 'l.json', '-o', 'x.md'], { cwd });
  expect({ code, calls }).toEqual({ code: 2, calls: [] });
  expect(error).toEqual(errorAt('unknown_form', { option: 'output', value: 'x.md' }));
});
