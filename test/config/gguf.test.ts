import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/cli/inputs.js';
import { fromGguf } from '../../src/model/other-formats.js';
import { isNotRope, readConfig } from '../../src/model/read-model.js';
import { computeRope } from '../../src/rope/registry.js';
import { fakeProcess, runCli } from '../helpers/environment.js';
import { temporaryFolder } from '../helpers/temporary.js';
import { InspectSchema } from '../../src/report/schema/inspect.js';
import { errorAt } from '../helpers/errors.js';

const STRING = 8;
const UINT32 = 4;
const FLOAT32 = 6;

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes]);
}

function integers(size: 4 | 8, ...values: number[]): Buffer {
  const bytes = Buffer.alloc(size * values.length);
  values.forEach((value, i) =>
    size === 4 ? bytes.writeUInt32LE(value, 4 * i) : bytes.writeBigUInt64LE(BigInt(value), 8 * i),
  );
  return bytes;
}

function floats(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  return bytes;
}

/** A GGUF file of version 3 with one float32 tensor. */
function ggufFile(
  metadata: Readonly<Record<string, string | number>>,
  [name, values]: readonly [string, readonly number[]],
): Buffer {
  const pairs = Object.entries(metadata).map(([key, value]) => {
    if (typeof value === 'string') {
      return Buffer.concat([text(key), integers(4, STRING), text(value)]);
    }
    const whole = Number.isInteger(value) && !key.includes('freq_base');
    const body = whole
      ? integers(4, UINT32, value)
      : Buffer.concat([integers(4, FLOAT32), floats([value])]);
    return Buffer.concat([text(key), body]);
  });
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    integers(4, 3),
    integers(8, 1, pairs.length),
    ...pairs,
    text(name),
    integers(4, 1),
    integers(8, values.length),
    integers(4, 0),
    integers(8, 0),
  ]);
  const padding = Buffer.alloc((32 - (header.length % 32)) % 32);
  return Buffer.concat([header, padding, floats(values)]);
}

const LLAMA = {
  'general.architecture': 'llama',
  'llama.context_length': 131_072,
  'llama.embedding_length': 4096,
  'llama.block_count': 32,
  'llama.attention.head_count': 32,
  'llama.attention.head_count_kv': 8,
  'llama.rope.dimension_count': 128,
  'llama.rope.freq_base': 500_000,
};

const BASE = { theta: 500_000, rotaryDim: 128 } as const;

/** Divisors as llama.cpp's converter writes them for a llama3 block. */
function llama3Divisors(factor: number): readonly number[] {
  const base = computeRope({ type: 'default', ...BASE }).invFreq;
  const scaled = computeRope({
    type: 'llama3',
    ...BASE,
    factor,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 8192,
  }).invFreq;
  return Array.from(base, (frequency, pair) => frequency / (scaled[pair] ?? Number.NaN));
}

describe('the header of a GGUF file', () => {
  it('is read from the file, and the divisors of a llama3 block are recognised', async () => {
    const cwd = await temporaryFolder();
    const file = ggufFile(LLAMA, ['rope_freqs.weight', llama3Divisors(8)]);
    await writeFile(join(cwd, 'model.gguf'), file);
    const { environment } = fakeProcess([], { cwd });
    const loaded = await loadConfig('model.gguf', environment);
    expect(loaded).toMatchObject({ source: 'model.gguf', file: undefined });
    const { model } = readConfig(loaded.text);
    if (isNotRope(model)) throw new Error('not rope');
    expect(model).toMatchObject({
      modelType: 'llama',
      maxPositions: 131_072,
      attention: { layers: 32, heads: 32, kvHeads: 8, headDim: 128 },
    });
    expect(model.groups[0]?.rope).toMatchObject({
      type: 'llama3',
      factor: 8,
      theta: 500_000,
      originalMaxPositions: 8192,
    });
  });

  it('keeps other divisors as they are, at every length', () => {
    const divisors = Array.from({ length: 64 }, (_, pair) => 1 + pair / 64);
    const config = fromGguf({ metadata: LLAMA, factors: { 'rope_freqs.weight': divisors } });
    expect(config['rope_scaling']).toEqual({
      rope_type: 'longrope',
      short_factor: divisors,
      long_factor: divisors,
      attention_factor: 1,
    });
  });

  it.each([
    [
      'yarn',
      {
        'qwen3.rope.scaling.type': 'yarn',
        'qwen3.rope.scaling.factor': 4,
        'qwen3.rope.scaling.original_context_length': 32_768,
      },
      { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 },
    ],
    [
      'linear',
      { 'qwen3.rope.scaling.type': 'linear', 'qwen3.rope.scaling.factor': 2 },
      { rope_type: 'linear', factor: 2 },
    ],
    ['none', { 'qwen3.rope.scaling.type': 'none' }, undefined],
  ])('has a scaling: %s', (_type, keys, block) => {
    const metadata = { 'general.architecture': 'qwen3', ...keys };
    expect(fromGguf({ metadata, factors: {} })['rope_scaling']).toEqual(block);
  });

  it('latent attention has three widths', () => {
    const metadata = {
      'general.architecture': 'deepseek2',
      'deepseek2.attention.kv_lora_rank': 512,
      'deepseek2.attention.key_length': 576,
      'deepseek2.attention.key_length_mla': 192,
      'deepseek2.attention.value_length_mla': 128,
      'deepseek2.rope.dimension_count': 64,
    };
    expect(fromGguf({ metadata, factors: {} })).toMatchObject({
      model_type: 'deepseek_v3',
      qk_rope_head_dim: 64,
      qk_nope_head_dim: 128,
      v_head_dim: 128,
    });
  });

  it('a part of the head rotates', () => {
    const metadata = {
      'general.architecture': 'glm4',
      'glm4.attention.key_length': 128,
      'glm4.rope.dimension_count': 64,
      // One number for each layer.
      'glm4.attention.head_count_kv': [2, 0, 2],
    };
    expect(fromGguf({ metadata, factors: {} })).toMatchObject({
      model_type: 'glm4',
      head_dim: 128,
      partial_rotary_factor: 0.5,
      num_key_value_heads: 2,
    });
  });
});

describe('files that are no config.json are named', () => {
  it.each([
    ['model.gguf', 'not GGUF at all', 'unreadable'],
    ['model.onnx', '', 'other_format'],
    ['model.safetensors', '\u0000', 'other_format'],
    ['pytorch_model.bin', '', 'other_format'],
    ['rank0.engine', '', 'other_format'],
  ])('%s', async (name, content, kind) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, name), content);
    const { environment } = fakeProcess([], { cwd });
    await expect(loadConfig(name, environment)).rejects.toMatchObject({
      kind,
      hint: expect.stringContaining('config.json'),
    });
  });

  it('a folder of the Hub cache says which snapshot to give', async () => {
    const cwd = await temporaryFolder();
    const revision = '0123456789abcdef0123456789abcdef01234567';
    const folder = join(cwd, 'models--org--name');
    await mkdir(join(folder, 'refs'), { recursive: true });
    await mkdir(join(folder, 'snapshots', revision), { recursive: true });
    await writeFile(join(folder, 'refs', 'main'), `${revision}\n`);
    const { environment } = fakeProcess([], { cwd });
    await expect(loadConfig('models--org--name', environment)).rejects.toMatchObject({
      kind: 'missing_config',
      hint: expect.stringContaining(join('snapshots', revision)),
    });
  });
});

it('the findings say that a header was translated, and nothing is written into the file', async () => {
  const cwd = await temporaryFolder();
  const file = ggufFile({ ...LLAMA, 'llama.block_count': 1 }, ['token_embd.weight', [1, 2]]);
  await writeFile(join(cwd, 'model.gguf'), file);
  const { code, stdout } = await runCli(['inspect', 'model.gguf', '--json'], { cwd });
  expect(code).toBe(0);
  const { findings } = JSON.parse(stdout) as {
    readonly findings: readonly { readonly code: string; readonly args: unknown }[];
  };
  expect(findings).toContainEqual(
    expect.objectContaining({
      code: 'RE076',
      args: { format: 'the header of a GGUF file', model: 'llama' },
    }),
  );
  const { layerTypes } = InspectSchema.parse(JSON.parse(stdout));
  expect(layerTypes['full_attention']?.layers).toEqual([0]);
  const written = await runCli(['emit', 'model.gguf', 'yarn:2', '--write'], { cwd });
  expect(written.code).toBe(2);
  expect(written.error).toEqual(errorAt('not_expressible', { option: 'write' }));
  expect(await readFile(join(cwd, 'model.gguf'))).toEqual(file);
});
