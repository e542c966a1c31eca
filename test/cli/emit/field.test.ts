import { chmod, chown, link, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isRelease } from '../../../src/emit/types.js';
import { runCli } from '../../helpers/environment.js';
import { errorAt } from '../../helpers/errors.js';
import { temporaryFolder } from '../../helpers/temporary.js';
import { flag } from '../../emit/input.js';

/** Configs that people run. The expected settings were checked against the engines' own code. */
interface Output {
  readonly length: number;
  readonly findings: readonly { readonly code: string }[];
  readonly notes: readonly { readonly text: string }[];
  readonly emissions: readonly {
    readonly engine: string;
    readonly checked: readonly string[];
    readonly checkedElsewhere: readonly string[];
    readonly settings: readonly { readonly text: string }[];
    readonly notes: readonly { readonly kind: string; readonly text: string }[];
  }[];
}

async function emit(name: string, ...args: readonly string[]): Promise<Output> {
  const { code, stdout } = await runCli(['emit', `fixtures/field/${name}.json`, ...args, '--json']);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Output;
}

async function text(name: string, ...args: readonly string[]): Promise<string> {
  const { emissions } = await emit(name, ...args);
  return emissions.flatMap(({ settings }) => settings.map((setting) => setting.text)).join('\n');
}

describe('an override repeats what lives in the block', () => {
  it.each([
    ['29-glm-4.5-air', 0.5, 'at the top level'],
    ['17b-phi2-orig', 0.4, 'at the top level'],
    ['03-phi4-mini', 0.75, 'at the top level'],
  ])('%s: partial_rotary_factor %d, %s', async (name, partial) => {
    const candidate = name === '03-phi4-mini' ? 'ntk:2' : 'yarn:2';
    const vllm = JSON.parse(
      flag(await text(name, candidate, '--engine', 'vllm'), '--hf-overrides'),
    ) as Record<string, unknown>;
    expect(vllm).toMatchObject({ rope_parameters: { partial_rotary_factor: partial } });
    const sglang = JSON.parse(
      flag(await text(name, candidate, '--engine', 'sglang'), '--json-model-override-args'),
    ) as Record<string, unknown>;
    expect(sglang).toMatchObject({ rope_scaling: { partial_rotary_factor: partial } });
  });

  it('a partial_rotary_factor that only the class knows', async () => {
    const cwd = await temporaryFolder();
    const glm = JSON.parse(await readFile('fixtures/field/29-glm-4.5-air.json', 'utf8')) as object;
    await writeFile(
      join(cwd, 'config.json'),
      JSON.stringify({ ...glm, partial_rotary_factor: undefined }),
    );
    const { stdout } = await runCli(['emit', 'config.json', 'yarn:2', '--engine', 'vllm'], { cwd });
    expect(stdout).toContain('"partial_rotary_factor":0.5');
  });

  it('Ministral 3 keeps the scaling of its queries, and the window that it counts in', async () => {
    for (const candidate of ['yarn:2', 'linear:2', 'ntk:2']) {
      const cwd = await temporaryFolder();
      const path = join(cwd, 'config.json');
      await writeFile(path, await readFile('fixtures/field/01-ministral3-8b.json', 'utf8'));
      const { code } = await runCli(['emit', 'config.json', candidate, '--write'], { cwd });
      expect(code).toBe(0);
      const { text_config: written } = JSON.parse(await readFile(path, 'utf8')) as {
        text_config: Record<string, unknown>;
      };
      expect(written['rope_parameters']).toMatchObject({
        llama_4_scaling_beta: 0.1,
        original_max_position_embeddings: 16_384,
      });
    }
  });
});

describe('the served length', () => {
  it.each(['ntk:4', 'linear:4', 'yarn:4'])(
    'llama-server’s cap is lifted for %s',
    async (scaling) => {
      const command = await text('07-qwen3-32b', scaling, '--engine', 'llamacpp');
      expect(command).toContain('--override-kv qwen3.context_length=int:163840');
      const { emissions } = await emit('07-qwen3-32b', scaling, '--engine', 'llama.cpp');
      const notes = emissions[0]?.notes.map((note) => note.text).join('\n') ?? '';
      expect(notes.includes('llama.cpp#28030')).toBe(scaling === 'yarn:4');
    },
  );

  it('longrope in vLLM: one statement, and no override where the file says it', async () => {
    const { emissions } = await emit('03-phi4-mini', 'as-configured', '--engine', 'vllm');
    const command = emissions[0]?.settings[0]?.text.replaceAll(/\s*\\\n\s*/g, ' ');
    expect(command).toBe('vllm serve MODEL --max-model-len 131072');
    const lengths = emissions[0]?.notes.filter(({ kind }) => kind === 'derives') ?? [];
    expect(lengths).toHaveLength(1);
    expect(lengths[0]?.text).toMatch(/131,072.*4,096 without/);
  });

  it('ollama has a context length and no scaling', async () => {
    expect(await text('07-qwen3-32b', 'none', '--engine', 'ollama')).toContain(
      'PARAMETER num_ctx 40960',
    );
    const { code, error, stderr } = await runCli([
      'emit',
      'fixtures/field/07-qwen3-32b.json',
      'yarn:4',
      '--engine',
      'ollama',
    ]);
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('not_expressible', { option: 'engine' }));
    expect(stderr).toContain('num_ctx 163840');
  });
});

describe('what the default command would say', () => {
  it.each([
    ['11-llama31-8b', 'dynamic:8'],
    ['11-llama31-8b', 'none'],
    ['03-phi4-mini', 'none'],
  ])('%s, %s: the trained scaling gives way', async (name, candidate) => {
    const { findings } = await emit(name, candidate);
    expect(findings.map(({ code }) => code)).toContain('RE050');
    const { stdout } = await runCli(['emit', `fixtures/field/${name}.json`, candidate]);
    expect(stdout.indexOf('RE050')).toBeGreaterThan(0);
    expect(stdout.indexOf('RE050')).toBeLessThan(stdout.indexOf('vLLM'));
  });

  it('two windows are in use, and which one was taken', async () => {
    const { notes } = await emit('07-qwen3-32b', 'yarn:4', '--target', '131,072');
    expect(notes.map((note) => note.text).join()).toMatch(/40,960.*32,768/);
    const theirs = await emit('07-qwen3-32b', 'yarn:4', '--trained-window', '32768');
    expect(theirs.notes).toEqual([]);
    expect(theirs.length).toBe(131_072);
  });

  it('what a factor came to', async () => {
    const { notes } = await emit('01-ministral3-8b', 'yarn:16');
    expect(notes.map((note) => note.text).join()).toMatch(/\b16 x 16\b.*\bfactor 256\b/);
  });
});

describe('a list of longrope', () => {
  it('is printed once, on few lines', async () => {
    const { stdout } = await runCli([
      'emit',
      'fixtures/field/07-qwen3-32b.json',
      'longrope:fixtures/field/longrope-64.json',
      '--target',
      '163840',
    ]);
    expect(stdout.match(/"long_factor"/g)).toHaveLength(1);
    expect(stdout.split('\n').length).toBeLessThan(100);
    expect(JSON.parse(/\{[\s\S]*?\n\}/.exec(stdout)?.[0] ?? '')).toHaveProperty('rope_scaling');
  });
});

describe('--engine and --engine-version', () => {
  const UNKNOWN = errorAt('invalid_value', { option: 'engineVersion' });
  const config = 'fixtures/field/07-qwen3-32b.json';

  it.each([
    ['llamacpp', 'llama-server'],
    ['llama-cpp', 'llama-server'],
    ['transformers', 'rope_scaling'],
    ['vLLM', 'vllm serve'],
  ])('%s is understood', async (name, said) => {
    expect(await text('07-qwen3-32b', 'yarn:4', '--engine', name)).toContain(said);
  });

  it.each([
    [['--engine', 'vlm'], errorAt('invalid_value', { option: 'engine' })],
    [['--engine-version', '0.29'], errorAt('no_effect', { option: 'engineVersion' })],
    [['--engine', 'vllm', '--engine-version', '0.7'], UNKNOWN],
    [['--engine', 'vllm', '--engine-version', 'new'], UNKNOWN],
    [['--engine', 'ollama', '--engine-version', '1'], UNKNOWN],
  ])('%j exits with 2', async (args, expected) => {
    const { code, error } = await runCli(['emit', config, 'yarn:4', ...args]);
    expect(code).toBe(2);
    expect(error).toEqual(expected);
  });

  it('the named version decides the form', async () => {
    const older = await text(
      '07-qwen3-32b',
      'yarn:4',
      '--engine',
      'vllm',
      '--engine-version',
      '0.11',
    );
    expect(JSON.parse(flag(older, '--hf-overrides'))).toMatchObject({
      rope_scaling: { rope_type: 'yarn' },
    });
  });
});

describe('--write', () => {
  const qwen = JSON.stringify({
    model_type: 'llama',
    hidden_size: 4096,
    num_attention_heads: 32,
    num_hidden_layers: 2,
    max_position_embeddings: 4096,
    rope_theta: 10_000,
  });

  async function write(content: string) {
    const cwd = await temporaryFolder();
    const path = join(cwd, 'config.json');
    await writeFile(path, content);
    return { cwd, path, run: () => runCli(['emit', 'config.json', 'yarn:4', '--write'], { cwd }) };
  }

  it('refuses a key that stands there twice', async () => {
    const twice = qwen.replace(
      '}',
      ',"rope_scaling":{"rope_type":"linear","factor":8},"rope_scaling":{"rope_type":"linear","factor":2}}',
    );
    const { path, run } = await write(twice);
    const { code, error } = await run();
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('duplicate_key', { path: 'rope_scaling' }));
    expect(await readFile(path, 'utf8')).toBe(twice);
  });

  it('keeps mode and owner, and says of other names', async () => {
    const { cwd, path, run } = await write(qwen);
    await chmod(path, 0o646);
    const root = process.getuid?.() === 0;
    if (root) await chown(path, 1234, 1235);
    await link(path, join(cwd, 'other.json'));
    const { code, stderr } = await run();
    expect(code).toBe(0);
    const after = await stat(path);
    expect(after.mode & 0o777).toBe(0o646);
    if (root) expect([after.uid, after.gid]).toEqual([1234, 1235]);
    expect(stderr).toMatch(/^config\.json .*: 1 /);
    expect(await readFile(join(cwd, 'other.json'), 'utf8')).toBe(qwen);
  });
});

describe('transformers 4', () => {
  const longrope = 'longrope:fixtures/field/longrope-48.json';

  async function written(name: string, candidate: string, ...args: readonly string[]) {
    const cwd = await temporaryFolder();
    const path = join(cwd, 'config.json');
    const before = await readFile(`fixtures/field/${name}.json`, 'utf8');
    await writeFile(path, before);
    const file = candidate.replace('fixtures/', `${process.cwd()}/fixtures/`);
    const ran = await runCli(['emit', 'config.json', file, '--write', ...args], { cwd });
    return { ...ran, before, after: await readFile(path, 'utf8') };
  }

  it('a file that says it already stays byte for byte', async () => {
    const ran = await written('03-phi4-mini', 'as-configured', '--json');
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({ written: [], removed: [] });
    expect(ran.after).toBe(ran.before);
  });

  it('Phi-3 takes a longrope block of exactly three keys', async () => {
    const { code, after } = await written('03-phi4-mini', longrope, '--target', '131072');
    expect(code).toBe(0);
    const { rope_scaling: block } = JSON.parse(after) as { rope_scaling: object };
    expect(Object.keys(block).sort()).toEqual(['long_factor', 'short_factor', 'type']);
  });

  it.each([
    [['--engine', 'hf', '--engine-version', '4.51.3'], 163_840],
    [['--engine', 'hf', '--engine-version', '4.48.0'], 40_960],
  ])('%j writes what that version computes', async (args, max) => {
    const { code, after } = await written('07-qwen3-32b', 'yarn:4', ...args);
    expect(code).toBe(0);
    expect(JSON.parse(after)).toMatchObject({ max_position_embeddings: max });
  });

  it('exits with 2 where the version would make something else of it', async () => {
    const args = ['--engine', 'hf', '--engine-version', '4.53'] as const;
    const { code, error, stderr, before, after } = await written(
      '07-qwen3-32b',
      'yarn:4:truncate=false',
      ...args,
    );
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('not_expressible', { option: 'write' }));
    expect(stderr).toContain('4.55');
    expect(after).toBe(before);
  });
});

describe('SGLang merges an override into the block in force', () => {
  it('so that keys of the old scaling are set to what they mean when left out', async () => {
    const cwd = await temporaryFolder();
    const qwen = JSON.parse(await readFile('fixtures/field/07-qwen3-32b.json', 'utf8')) as object;
    const block = {
      rope_type: 'yarn',
      factor: 4,
      original_max_position_embeddings: 32_768,
      beta_fast: 16,
      mscale: 1,
      mscale_all_dim: 1,
    };
    await writeFile(
      join(cwd, 'config.json'),
      JSON.stringify({ ...qwen, max_position_embeddings: 131_072, rope_scaling: block }),
    );
    const override = async (candidate: string) => {
      const args = ['emit', 'config.json', candidate, '--engine', 'sglang', '--json'];
      const { stdout } = await runCli(args, { cwd });
      const command = (JSON.parse(stdout) as Output).emissions[0]?.settings[0]?.text ?? '';
      return JSON.parse(flag(command, '--json-model-override-args')) as unknown;
    };
    expect(await override('yarn:2')).toMatchObject({
      rope_scaling: { factor: 2, beta_fast: 32, mscale: null, mscale_all_dim: null },
    });
    // The factor does not count because the block names the window, and a table has factor x
    // max_position_embeddings rows.
    expect(await override('linear:8')).toMatchObject({
      rope_scaling: { rope_type: 'linear', factor: 8 },
      model_max_length: 262_144,
      max_position_embeddings: 32_768,
    });
  });
});

describe('a file that is no config.json', () => {
  it('is not written into: settings for an engine are given, and the file stays as it is', async () => {
    const cwd = await temporaryFolder();
    const params = await readFile('fixtures/field/02-params.json', 'utf8');
    await writeFile(join(cwd, 'params.json'), params);
    const { code, error } = await runCli(['emit', 'params.json', 'yarn:4', '--write'], { cwd });
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('not_expressible', { option: 'write' }));
    expect(await readFile(join(cwd, 'params.json'), 'utf8')).toBe(params);
    const vllm = await runCli(['emit', 'params.json', 'yarn:4', '--engine', 'vllm'], { cwd });
    expect(vllm.code).toBe(0);
  });

  it.each([
    [{ rope_type: 'ntk', factor: 4 }, 'ntk-mixed:4:mixed_b=1'],
    [{ rope_type: 'ntk', factor: 8, mixed_b: 0.6 }, 'ntk-mixed:8:mixed_b=0.6'],
    [{ type: 'ntk', alpha: 8 }, 'ntk-mixed:FACTOR:mixed_b=1'],
  ])(
    'vLLM’s own block %j is refused with the candidate that it means',
    async (block, candidate) => {
      const cwd = await temporaryFolder();
      const qwen = JSON.parse(await readFile('fixtures/field/07-qwen3-32b.json', 'utf8')) as object;
      await writeFile(join(cwd, 'config.json'), JSON.stringify({ ...qwen, rope_scaling: block }));
      const { code, stderr } = await runCli(['inspect', 'config.json'], { cwd });
      expect(code).toBe(2);
      expect(stderr).toContain(candidate);
    },
  );
});

it('Ministral 3: a block that would count its queries in another window is refused', async () => {
  const cwd = await temporaryFolder();
  const ones = Array.from({ length: 64 }, () => 1);
  const longrope = {
    rope_type: 'longrope',
    short_factor: ones,
    long_factor: ones.map(() => 2),
    factor: 2,
    original_max_position_embeddings: 262_144,
  };
  const ministral = await readFile('fixtures/field/01-ministral3-8b.json', 'utf8');
  await writeFile(join(cwd, 'config.json'), ministral);
  const words = ['emit', 'config.json', JSON.stringify(longrope), '--target', '524288'];
  for (const engine of ['vllm', 'sglang', 'hf']) {
    const { code, stderr } = await runCli([...words, '--engine', engine], { cwd });
    expect([engine, code]).toEqual([engine, 2]);
    expect(stderr).toContain('original_max_position_embeddings');
  }
});

it('a model class that was not run is not said to be checked', async () => {
  const ran = async (name: string, engine: string) => {
    const { emissions } = await emit(name, 'yarn:2', '--engine', engine);
    return emissions.map(({ checked, checkedElsewhere }) => ({ checked, checkedElsewhere }))[0];
  };
  expect((await ran('07-qwen3-32b', 'vllm'))?.checked[0]).toBe('0.29.0');
  const phi = await ran('17b-phi2-orig', 'vllm');
  expect(phi?.checked).toEqual([]);
  expect(phi?.checkedElsewhere[0]).toBe('0.29.0');
  expect(await ran('07-qwen3-32b', 'tgi')).toEqual({ checked: [], checkedElsewhere: [] });
});

it.each([
  ['0.8', 'vLLM 0.8 to 0.11'],
  ['0.12', 'vLLM 0.12 to 0.23'],
  ['0.24', 'vLLM 0.32 to 0.33'],
])('YaRN of a multimodal config that is kept, for vLLM %s', async (version, versions) => {
  const words = ['emit', 'fixtures/attack/emit1.json', 'as-configured', '--target', '8192'];
  const engine = ['--engine', 'vllm', '--engine-version', version, '--json'];
  const { stdout } = await runCli([...words, ...engine]);
  const { emissions } = JSON.parse(stdout) as {
    emissions: readonly { settings: readonly { versions: string }[] }[];
  };
  expect(emissions[0]!.settings[0]!.versions.split(',')[0]).toBe(versions);
});

it.each([
  ['0.29.1', '0.29', true],
  ['0.29.1', 'v0.29.1', true],
  ['0.29.1', '0.2', false],
  ['5.0.1', '5', true],
  ['5.24.0', '5', false],
])('%s is of the release %s: %s', (version, asked, is) => {
  expect(isRelease(version, asked)).toBe(is);
});

it.each([
  ['0.29', { checked: ['0.29.0'] }],
  ['0.29.0', { checked: ['0.29.0'] }],
  ['0.20', { checked: [], checkedNearest: '0.29.0' }],
])('what is said to be checked is true of vLLM %s, which was asked for', async (version, ran) => {
  const words = ['emit', 'fixtures/field/07-qwen3-32b.json', 'yarn:2', '--engine', 'vllm'];
  const { stdout } = await runCli([...words, '--engine-version', version, '--json']);
  const { emissions } = JSON.parse(stdout) as { emissions: readonly object[] };
  expect(emissions).toMatchObject([ran]);
  const text = await runCli([...words, '--engine-version', version]);
  expect(text.stdout.includes('the nearest run was 0.29.0')).toBe('checkedNearest' in ran);
});
