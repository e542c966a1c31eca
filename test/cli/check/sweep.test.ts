import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Sweep, SweepSchema } from '../../../src/gate/sweep.js';
import { configText } from '../../emit/input.js';
import { runCli } from '../../helpers/environment.js';
import { errorAt, optionsIn } from '../../helpers/errors.js';
import { makeReport } from '../../helpers/report.js';
import { folderOf, temporaryFolder } from '../../helpers/temporary.js';

const read = async (path: string): Promise<Sweep> =>
  SweepSchema.parse(JSON.parse(await readFile(path, 'utf8')));
const llama = configText('Llama-2-7b-hf');
const models = { a: llama, b: llama, c: llama, broken: '{' };

describe('rope-eval sweep and merge', () => {
  it('spread the configs over shards and put them together again', async () => {
    const cwd = await folderOf(models);
    for (const part of [1, 2]) {
      const args = [
        'sweep',
        'configs/**/config.json',
        '--shard',
        `${part}/2`,
        '-o',
        `${part}.json`,
      ];
      await runCli(args, { cwd });
    }
    const merged = await runCli(['merge', '1.json', '2.json', '-o', 'all.json'], { cwd });
    expect(merged.code).toBe(0);
    const all = await read(join(cwd, 'all.json'));
    expect(all.entries.map((entry) => entry.config)).toEqual(
      ['a', 'b', 'broken', 'c'].map((name) => `configs/${name}/config.json`),
    );
  });

  it('record a config that cannot be read, and go on', async () => {
    const cwd = await folderOf(models);
    const { code } = await runCli(['sweep', 'configs/**/config.json', '-o', 'all.json'], { cwd });
    const { entries } = await read(join(cwd, 'all.json'));
    expect(code).toBe(2);
    expect(entries.filter((entry) => entry.report)).toHaveLength(3);
    expect(entries.find((entry) => entry.error)).toMatchObject({ error: { kind: 'invalid_json' } });
  });

  it('name a shard that is missing', async () => {
    const cwd = await folderOf({ a: llama, b: llama });
    await runCli(['sweep', 'configs/**/config.json', '--shard', '1/2', '-o', '1.json'], { cwd });
    const over = await runCli(['merge', '1.json', '-o', './1.json'], { cwd });
    expect(over.code).toBe(2);
    expect(over.error).toEqual(errorAt('overwrites_input'));
    const { code, stderr } = await runCli(['merge', '1.json', '-o', 'all.json'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('2/2');
    expect(await read(join(cwd, 'all.json'))).toMatchObject({
      status: 'interrupted',
      shards: { count: 2, present: [1] },
    });
  });

  it('refuse parts of another target, and call an interrupted part incomplete', async () => {
    const cwd = await folderOf({ a: llama, b: llama, c: llama });
    const sweep = (part: string, ...more: string[]) => [
      'sweep',
      'configs/**/config.json',
      ...['--shard', `${part}/2`, '-o', `${part}.json`],
      ...more,
    ];
    await runCli(sweep('1', '--target', '8192', '--candidates', 'yarn:2'), { cwd });
    await runCli(sweep('2'), { cwd });
    const other = await runCli(['merge', '1.json', '2.json'], { cwd });
    expect(other.code).toBe(3);
    expect(other.error).toEqual(errorAt('not_comparable', { file: '1.json' }));
    expect(optionsIn(other.error).slice(0, 2)).toEqual(['target', 'candidates']);

    await runCli(sweep('1'), { cwd });
    const part = await read(join(cwd, '1.json'));
    const half = { ...part, status: 'interrupted', entries: part.entries.slice(1) };
    await writeFile(join(cwd, '1.json'), JSON.stringify(half));
    const merged = await runCli(['merge', '1.json', '2.json', '-o', 'all.json'], { cwd });
    expect(merged.code).toBe(2);
    expect(merged.stderr).toContain('1.json');
    expect(merged.stderr).not.toContain('2.json');
    expect((await read(join(cwd, 'all.json'))).status).toBe('interrupted');
  });

  it('say so where nothing matches', async () => {
    const cwd = await temporaryFolder();
    const { code, error } = await runCli(['sweep', 'nothing/*.json', '-o', 'x.json'], { cwd });
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('missing_config'));
  });

  it('take no path or pattern that finds nothing, beside others that do', async () => {
    const cwd = await folderOf({ a: llama });
    const args = ['configs/a/config.json', 'configs/b/config.json', 'other/**', '-o', 'x.json'];
    const { code, error, stderr } = await runCli(['sweep', ...args], { cwd });
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('missing_config'));
    expect(stderr).toContain(': configs/b/config.json other/**\n');
  });

  it('take a pattern that leaves something out', async () => {
    const cwd = await folderOf({ a: llama, b: llama });
    const args = ['configs/**/config.json', '!configs/b/**', '-o', 'x.json'];
    expect((await runCli(['sweep', ...args], { cwd })).code).toBe(0);
    expect((await read(join(cwd, 'x.json'))).entries).toHaveLength(1);
  });
});

it('records a config whose engine died as an error, not as a report', async () => {
  const cwd = await folderOf({ a: llama });
  const failed = makeReport({ status: 'failed', unfinished: { reason: 'it died', jobs: [] } });
  const argv = ['sweep', 'configs/**/config.json', '-o', 'all.json'];
  const { code } = await runCli(argv, { cwd, evaluate: async () => failed });
  expect(code).toBe(3);
  const [entry] = (await read(join(cwd, 'all.json'))).entries;
  expect(entry?.error).toMatchObject({ kind: 'engine_died', message: 'it died' });
});
