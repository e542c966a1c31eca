import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InspectSchema } from '../../src/report/schema/inspect.js';
import { runCli } from '../helpers/environment.js';
import { errorAt } from '../helpers/errors.js';
import { temporaryFolder } from '../helpers/temporary.js';

const CONFIG = resolve('configs/Llama-2-7b-hf.json');

describe('inspect', () => {
  it('prints sentences, and with --json what its schema says', async () => {
    const text = await runCli(['inspect', CONFIG]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain('LlamaForCausalLM');
    const json = await runCli(['inspect', CONFIG, '--json', '--seq-len', '8k']);
    expect(InspectSchema.parse(JSON.parse(json.stdout)).shown.sequenceLength).toBe(8192);
  });

  it('shows another scaling', async () => {
    const ran = await runCli(['inspect', CONFIG, '--json', '--candidate', 'linear:4']);
    const data = InspectSchema.parse(JSON.parse(ran.stdout));
    expect(data.layerTypes['full_attention']?.invFreq[0]).toBe(0.25);
  });

  it('takes one candidate only', async () => {
    const ran = await runCli(['inspect', CONFIG, '--candidate', 'yarn:2,yarn:4']);
    expect(ran.code).toBe(2);
    expect(ran.error).toEqual(errorAt('too_many_candidates', { option: 'candidate' }));
  });
});

describe('fingerprint', () => {
  async function diff(values: (invFreq: number[]) => unknown, more: readonly string[] = []) {
    const cwd = await temporaryFolder();
    const { stdout } = await runCli(['fingerprint', CONFIG, '--json']);
    const { groups } = JSON.parse(stdout) as { groups: { invFreq: number[] }[] };
    const dump = JSON.stringify(values(groups[0]?.invFreq ?? []));
    await writeFile(join(cwd, 'dump.json'), dump);
    return runCli(['fingerprint', CONFIG, '--diff', 'dump.json', ...more], { cwd });
  }

  it('agrees with its own numbers', async () => {
    const ran = await diff((invFreq) => ({ inv_freq: invFreq }));
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('The same');
  });

  it('exits with 1 where an engine holds something else', async () => {
    const ran = await diff((invFreq) => ({ inv_freq: invFreq.map((x) => x / 4) }), ['--json']);
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ same: false });
  });

  it.each([
    ['a dump without numbers', () => ({ nothing: [] }), /exactly one of inv_freq/],
    ['the wrong number of values', () => ({ inv_freq: [1, 2] }), /inv_freq has 2 numbers/],
  ])('refuses %s', async (_, values, says) => {
    const ran = await diff(values);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(says);
  });

  it('refuses an unknown layer type and says which there are', async () => {
    const argv = ['fingerprint', CONFIG, '--diff', 'x', '--layer-type', 'sliding'];
    const ran = await runCli(argv);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('full_attention');
  });
});

describe('explain', () => {
  it('prints one finding, in any case', async () => {
    const ran = await runCli(['explain', 're001']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^RE001 /);
  });

  it('lists all of them without a code', async () => {
    const { stdout } = await runCli(['explain']);
    expect(stdout.trim().split('\n').length).toBeGreaterThan(10);
  });

  it('suggests a code', async () => {
    const ran = await runCli(['explain', 'RE0012']);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.error).toEqual(errorAt('unknown_code'));
    // The hint names one that exists.
    expect(ran.stderr).toMatch(/\bRE\d{3}\b/);
  });
});

describe('schema', () => {
  it.each([[[]], [['report']], [['inspect']], [['policy']]])('prints %j', async (names) => {
    const ran = await runCli(['schema', ...names]);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ type: 'object' });
  });

  it('refuses another name', async () => {
    expect((await runCli(['schema', 'reports'])).code).toBe(2);
  });
});

describe('doctor', () => {
  it('says what works and what to install for CUDA', async () => {
    const ran = await runCli(['doctor']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/ok {4}onnxruntime-node 1\.30\.0/);
    expect(ran.stdout).toContain('onnxruntime-node-install=cuda12');
  });

  it('says how to find the library of CUDA that keeps the provider from starting', async () => {
    const library = 'libonnxruntime_providers_cuda.so';
    const ran = await runCli(['doctor', '--json'], {
      changes: {
        describeHost: () => ({ node: '20.0.0', platform: 'linux', arch: 'x64', glibc: '2.36' }),
        describeRuntime: async () => ({
          onnxruntime: '1.30.0',
          libraryFolder: '/runtime',
          providers: [{ name: 'cuda', library, present: true }],
          trial: { ok: true, model: 'a', milliseconds: 1 },
          cudaTrial: { ok: false, error: 'Failed to load shared library' },
          probeModels: ['a'],
        }),
      },
    });
    expect(ran.code).toBe(0);
    const { checks } = JSON.parse(ran.stdout) as { checks: { text: string; hint?: string }[] };
    const [found] = checks.filter(({ text }) => text.startsWith('CUDA: '));
    expect(found?.hint).toContain(`ldd /runtime/${library}`);
  });

  it('exits with 3 where no model can be run', async () => {
    const ran = await runCli(['doctor', '--json'], {
      changes: {
        describeRuntime: async () => ({
          onnxruntime: null,
          loadError: 'cannot open shared object file\nand more',
          libraryFolder: null,
          providers: [],
          trial: { ok: false, error: 'no runtime' },
          probeModels: ['a'],
        }),
      },
    });
    expect(ran.code).toBe(3);
    const { checks } = JSON.parse(ran.stdout) as { checks: { state: string; text: string }[] };
    expect(checks.filter(({ state }) => state === 'bad').map(({ text }) => text)).toEqual([
      'onnxruntime-node cannot be loaded: cannot open shared object file',
      'no runtime libraries for this platform on disk',
      'CPU: no runtime',
    ]);
  });

  it.each([
    ['an old Node', { node: '18.20.0' }, /bad {3}Node 18/],
    ['musl', { glibc: null }, /glibc 2\.28/],
    ['an Intel Mac', { platform: 'darwin', arch: 'x64', glibc: null }, /Intel Macs/],
  ])('knows %s', async (_, facts, says) => {
    const host = { node: '20.1.0', platform: 'linux', arch: 'x64', glibc: '2.36', ...facts };
    const ran = await runCli(['doctor'], { changes: { describeHost: () => host } });
    expect(ran.stdout.replaceAll(/\s*\n\s+/g, ' ')).toMatch(says);
  });
});
