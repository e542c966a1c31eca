import {
  chmod,
  type FileHandle,
  open,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { assertWritable, writeAtomically } from '../../src/cli/files.js';
import { ReportSchema } from '../../src/report/schema/report.js';
import { runCli } from '../helpers/environment.js';
import { temporaryFolder } from '../helpers/temporary.js';

const CONFIG = resolve('configs/Llama-2-7b-hf.json');

describe('-o', () => {
  it('writes each form by its extension, and nothing else', async () => {
    const cwd = await temporaryFolder();
    const files = ['r.csv', 'r.html', 'r.json', 'r.md', 'r.txt', 'r.xml'];
    const flags = ['--details', ...files.flatMap((file) => ['-o', file])];
    const ran = await runCli([CONFIG, ...flags], { cwd });
    expect(ran.code).toBe(0);
    expect((await readdir(cwd)).sort()).toEqual(files);
    ReportSchema.parse(JSON.parse(await readFile(join(cwd, 'r.json'), 'utf8')));
    expect(await readFile(join(cwd, 'r.html'), 'utf8')).toMatch(/^<!doctype html>/);
    expect(await readFile(join(cwd, 'r.txt'), 'utf8')).toBe(ran.stdout);
  });

  it('leaves what was there when the evaluation fails', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'r.json'), 'old');
    const ran = await runCli([CONFIG, '-o', 'r.json'], {
      cwd,
      evaluate: async () => Promise.reject(new Error('boom')),
    });
    expect(ran.code).toBe(3);
    expect(await readdir(cwd)).toEqual(['r.json']);
    expect(await readFile(join(cwd, 'r.json'), 'utf8')).toBe('old');
  });

  it('is checked before the evaluation starts', async () => {
    const ran = await runCli([CONFIG, '-o', '/nowhere/r.json']);
    expect(ran.code).toBe(2);
    expect(ran.calls).toEqual([]);
  });
});

describe('atomic writes', () => {
  it('keeps the mode of a file and the link to it', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'real.json');
    await writeFile(file, 'old');
    await chmod(file, 0o640);
    await symlink(file, join(folder, 'link.json'));
    await writeAtomically(join(folder, 'link.json'), 'new');
    expect(await readFile(file, 'utf8')).toBe('new');
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect((await readdir(folder)).sort()).toEqual(['link.json', 'real.json']);
  });

  it.each([
    ['ENOSPC', 'writeFile', 'the disk is full'],
    ['EIO', 'writeFile', 'the disk reports an error'],
    ['EIO', 'sync', 'the disk reports an error'],
    ['EDQUOT', 'sync', 'the quota of the disk is used up'],
  ] as const)('leave the old file alone on %s of %s', async (code, method, words) => {
    const folder = await temporaryFolder();
    const path = join(folder, 'r.json');
    await writeFile(path, 'old');
    const probe = await open(path, 'r');
    const handle = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    const failing = vi.spyOn(handle, method).mockImplementationOnce(async function (
      this: FileHandle,
    ) {
      // Half of it has been written to the disk already.
      if (method === 'writeFile') await this.write('{"half":');
      throw Object.assign(new Error(code), { code });
    } as never);
    const written = writeAtomically(path, '{"whole": true}');
    await expect(written).rejects.toMatchObject({ kind: 'unwritable_output', exitCode: 2 });
    await expect(written).rejects.toThrow(words);
    failing.mockRestore();
    expect(await readdir(folder)).toEqual(['r.json']);
    expect(await readFile(path, 'utf8')).toBe('old');
  });

  it('leaves nothing behind when it checks', async () => {
    const folder = await temporaryFolder();
    await assertWritable(join(folder, 'r.json'));
    expect(await readdir(folder)).toEqual([]);
  });
});
