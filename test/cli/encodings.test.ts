import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CompareEncodingsOptions } from '../../src/options.js';
import { EncodingsSchema } from '../../src/encodings/schema.js';
import { makeEncodingsReport } from '../helpers/encodings.js';
import { runCli } from '../helpers/environment.js';
import { errorAt } from '../helpers/errors.js';
import { temporaryFolder } from '../helpers/temporary.js';

describe('rope-eval encodings', () => {
  it('hands its options on', async () => {
    const calls: CompareEncodingsOptions[] = [];
    const argv = [
      'encodings',
      '--preset',
      'quick',
      '--seed',
      '7',
      '--samples',
      '3',
      '--threads',
      '1',
    ];
    const { code } = await runCli(argv, {
      compareEncodings: async (options = {}) => {
        calls.push(options);
        return makeEncodingsReport();
      },
    });
    expect(code).toBe(0);
    expect(calls).toMatchObject([{ preset: 'quick', seed: 7, samples: 3, threads: 1 }]);
    expect(calls[0]!.encodings).toBeUndefined();
  });

  it('prints JSON alone with --json, and saves what -o asks for', async () => {
    const cwd = await temporaryFolder();
    const compareEncodings = async () => makeEncodingsReport();
    const argv = ['encodings', '--json', '-o', 'table.md', '-o', 'all.json'];
    const { code, stdout, stderr } = await runCli(argv, { cwd, compareEncodings });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = EncodingsSchema.parse(JSON.parse(stdout));
    expect(JSON.parse(await readFile(join(cwd, 'all.json'), 'utf8'))).toEqual(report);
    expect(await readFile(join(cwd, 'table.md'), 'utf8')).toContain('| ALiBi |');
  });

  it('refuses a form that it does not have before it runs anything', async () => {
    const ran = await runCli(['encodings', '-o', 'table.xml']);
    expect(ran.code).toBe(2);
    expect(ran.error).toEqual(errorAt('unknown_form', { option: 'output', value: 'table.xml' }));
    expect(ran.stderr).toContain('.md');
  });

  it('ends with 130 after Ctrl-C, and prints no half table', async () => {
    const compareEncodings = async () => makeEncodingsReport({ status: 'interrupted', rows: [] });
    const ran = await runCli(['encodings'], { compareEncodings });
    expect(ran).toMatchObject({ code: 130, stdout: '' });
    expect(ran.stderr).toContain('not saved');
  });
});
