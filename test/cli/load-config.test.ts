import { mkdir, truncate, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/cli/inputs.js';
import { RopeEvalError } from '../../src/errors.js';
import { commandsIn } from '../helpers/commands.js';
import { fakeProcess } from '../helpers/environment.js';
import { temporaryFolder } from '../helpers/temporary.js';

async function refusal(argument: string, cwd: string, stdin?: string): Promise<RopeEvalError> {
  const { environment } = fakeProcess([], { cwd, ...(stdin === undefined ? {} : { stdin }) });
  const error: unknown = await loadConfig(argument, environment).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RopeEvalError);
  return error as RopeEvalError;
}

describe('what is read', () => {
  it('reads a file, relative to the working directory', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'config.json'), '{"a":1}');
    const { environment } = fakeProcess([], { cwd });
    expect(await loadConfig('config.json', environment)).toEqual({
      text: '{"a":1}',
      source: 'config.json',
      file: join(cwd, 'config.json'),
    });
  });

  it('reads the config.json of a folder', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'model'));
    await writeFile(join(cwd, 'model', 'config.json'), '{}');
    const { environment } = fakeProcess([], { cwd });
    expect((await loadConfig('model', environment)).source).toBe(join('model', 'config.json'));
  });

  it('follows the links that a Hub cache is made of', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'blob'), '{}');
    await symlink(join(cwd, 'blob'), join(cwd, 'config.json'));
    const { environment } = fakeProcess([], { cwd });
    expect((await loadConfig('.', environment)).text).toBe('{}');
  });

  it('reads standard input for -', async () => {
    const { environment } = fakeProcess([], { stdin: '{"b":2}' });
    expect(await loadConfig('-', environment)).toEqual({
      text: '{"b":2}',
      source: '-',
      file: undefined,
    });
  });
});

const DOWNLOAD = ['download', 'Qwen/Qwen2.5-7B', 'config.json', '--local-dir', '.'];

describe('what is refused', () => {
  it('says which folder lacks a missing file', async () => {
    const cwd = await temporaryFolder();
    const error = await refusal('nothing.json', cwd);
    expect(error.kind).toBe('missing_file');
    expect(error.message).toContain('nothing.json');
  });

  it('names a folder without config.json', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'empty'));
    expect((await refusal('empty', cwd)).kind).toBe('missing_config');
  });

  it('says what to download for a Hub id', async () => {
    const error = await refusal('Qwen/Qwen2.5-7B', await temporaryFolder());
    expect(error.kind).toBe('hub_id');
    expect(commandsIn(error.hint, 'hf')).toEqual([DOWNLOAD]);
    expect(error.hint).toContain('https://huggingface.co/Qwen/Qwen2.5-7B/resolve/main/config.json');
  });

  it.each([
    'https://huggingface.co/Qwen/Qwen2.5-7B',
    'https://huggingface.co/Qwen/Qwen2.5-7B/blob/main/config.json',
  ])('says what to download for %s', async (url) => {
    const error = await refusal(url, await temporaryFolder());
    expect(error.kind).toBe('url');
    expect(commandsIn(error.hint, 'hf')).toEqual([DOWNLOAD]);
  });

  it('takes a missing file in a folder that exists for a wrong path, not for a Hub id', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'configs'));
    expect((await refusal('configs/Qwen2.5', cwd)).kind).toBe('missing_file');
    expect((await refusal('elsewhere/config.json', cwd)).kind).toBe('missing_file');
  });

  it('bounds the size before reading', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'model.json'), '');
    await truncate(join(cwd, 'model.json'), 2 ** 34);
    const { environment } = fakeProcess([], { cwd });
    await expect(loadConfig('model.json', environment)).rejects.toMatchObject({
      kind: 'too_large',
    });
  });

  it('says that standard input was empty', async () => {
    expect((await refusal('-', '.', '')).kind).toBe('empty');
  });

  it('refuses bytes that are no UTF-8', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'config.json'), Buffer.from([0xff, 0xfe, 0x7b, 0x00]));
    expect((await refusal('config.json', cwd)).kind).toBe('not_text');
  });

  it('says why a file cannot be read', async () => {
    const { environment } = fakeProcess([], {
      changes: {
        stat: async () => ({ kind: 'file', size: 10 }),
        readFile: async () => Promise.reject(Object.assign(new Error(), { code: 'EACCES' })),
      },
    });
    await expect(loadConfig('config.json', environment)).rejects.toThrow(/EACCES/);
  });
});
