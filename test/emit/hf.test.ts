import { describe, expect, it } from 'vitest';
import {
  editedRecord,
  emit,
  type EmitInput,
  type ConfigForm,
  hfPatch,
} from '../../src/emit/index.js';
import { parseConfig } from '../../src/json/parse.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import {
  configText,
  dynamic,
  editsOf,
  fixtureText,
  inputFor,
  linear,
  ntk,
  QWEN3,
  yarn,
} from './input.js';

function changed(text: string, more: object): string {
  return JSON.stringify({ ...(JSON.parse(text) as object), ...more });
}

function written(input: EmitInput, form: ConfigForm) {
  return editedRecord(input.raw, editsOf(input, form));
}

/** Makes an input whose layers all get the same scaling. */
function forAllLayers(text: string, scale: (base: RopeSpec) => RopeSpec, length: number) {
  const input = inputFor(text, scale, length);
  const [first, ...others] = input.groups.map((group) => ({ ...group, rope: scale(group.rope) }));
  if (!first) throw new Error('no layers');
  return { ...input, groups: [first, ...others] } satisfies EmitInput;
}

describe('theta', () => {
  it.each([
    { rope_parameters: { rope_type: 'default', rope_theta: 1e6 } },
    { rope_scaling: { rope_type: 'linear', factor: 2, rope_theta: 1e6 } },
  ])('is written where the block that held it goes: %j', (blocks) => {
    const text = changed(QWEN3, { rope_theta: undefined, rope_scaling: undefined, ...blocks });
    expect(written(inputFor(text, yarn(4, 40_960), 163_840), 'v4')).toMatchObject({
      rope_theta: 1e6,
      rope_scaling: { rope_type: 'yarn' },
    });
  });

  it('has the key that GPT-NeoX reads', () => {
    const pythia = fixtureText('pythia-6.9b');
    const input = inputFor(pythia, ntk(4), 8192);
    for (const form of ['v4', 'v5'] as const) {
      const after = written(input, form);
      expect(after['rotary_emb_base']).toBeCloseTo(10_000 * 4 ** (32 / 30), 6);
      expect(after).not.toHaveProperty('rope_theta');
    }
  });
});

describe('kinds of layers', () => {
  const gemma2 = fixtureText('gemma-2-9b-it');

  it('share one block where the class reads one', () => {
    const input = forAllLayers(gemma2, yarn(4, 8192), 32_768);
    expect(input.groups).toHaveLength(2);
    expect(written(input, 'v4')).toMatchObject({ rope_scaling: { rope_type: 'yarn', factor: 4 } });
    expect(written(input, 'v5')).toMatchObject({ rope_parameters: { rope_type: 'yarn' } });
    const [vllm, sglang] = emit(input, ['vllm', 'sglang']);
    for (const engine of [vllm, sglang]) {
      if (!engine?.ok) throw new Error('refused');
      expect(engine.settings[0]?.text).toContain('"rope_type":"yarn"');
      expect(engine.settings[0]?.text).not.toContain('_attention"');
    }
  });

  it('are refused where that block would have to say two things', () => {
    const input = inputFor(gemma2, yarn(4, 8192), 32_768);
    for (const emission of emit(input, ['hf', 'vllm', 'sglang', 'tgi'])) {
      expect(emission).toMatchObject({
        ok: false,
        reason: expect.stringContaining('sliding_attention'),
      });
    }
  });

  it('have a block each where the class reads them, even if there is one kind', () => {
    const text = changed(configText('gemma-3-1b-it'), { sliding_window_pattern: 1 });
    const input = inputFor(text, yarn(4, 32_768), 131_072);
    expect(input.groups).toHaveLength(1);
    expect(written(input, 'v5')).toMatchObject({
      rope_parameters: { full_attention: { rope_type: 'yarn' } },
    });
  });

  it('keep the blocks of types that do not rotate', () => {
    const text = changed(configText('gemma-3-1b-it'), {
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta: 1e6 },
        sliding_attention: { rope_type: 'default', rope_theta: 1e4 },
        chunked_attention: null,
      },
    });
    const after = written(inputFor(text, yarn(4, 32_768), 131_072), 'v5');
    expect(after).toMatchObject({ rope_parameters: { chunked_attention: null } });
  });

  it('have no truncate=false in a block of their own', () => {
    const exact = yarn(2, 32_768, { truncate: false });
    const input = inputFor(configText('gemma-3-1b-it'), exact, 65_536);
    expect(hfPatch(input, 'v5')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('truncate=false'),
    });
  });
});

describe('a class that does not read it', () => {
  it('has nothing written: one fixed table', () => {
    const input = inputFor(fixtureText('gpt-j-6b'), yarn(4, 2048), 8192);
    for (const emission of emit(input, ['hf', 'vllm', 'sglang', 'tgi'])) {
      expect(emission).toMatchObject({ ok: false, reason: expect.stringMatching(/\bgptj\b/) });
    }
  });

  it('has nothing written: a list of rope types', () => {
    const phi3 = changed(QWEN3, { model_type: 'phi3', head_dim: undefined });
    const input = inputFor(phi3, yarn(4, 40_960), 163_840);
    // The class treats yarn as an old name of longrope.
    expect(hfPatch(input, 'v4')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('rope_scaling.short_factor'),
    });
  });

  it('has nothing written: a raised maximum would put its window in force', () => {
    const mistral = changed(QWEN3, { model_type: 'mistral', sliding_window: 40_960 });
    expect(hfPatch(inputFor(mistral, ntk(4), 163_840), 'v4')).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/\bmistral\b.*\bfull_attention\b.*\bsliding_attention\b/),
    });
  });

  it('has only the form that it reads', () => {
    const moe = changed(fixtureText('c4ai-command-r-v01'), {
      model_type: 'cohere2_moe',
      layer_types: Array.from({ length: 40 }, () => 'sliding_attention'),
      sliding_window: 4096,
    });
    const input = forAllLayers(moe, yarn(4, 131_072), 524_288);
    expect(hfPatch(input, 'v4')).toMatchObject({
      ok: false,
      instead: expect.stringContaining('--form v5'),
    });
    expect(hfPatch(input, 'v5').ok).toBe(true);
  });
});

it('no scaling replaces the scaling that a class has of its own', () => {
  const unscaled = ({ theta, rotaryDim }: RopeSpec): RopeSpec => ({
    type: 'default',
    theta,
    rotaryDim,
  });
  const input = forAllLayers(fixtureText('gpt-oss-20b'), unscaled, 4096);
  expect(written(input, 'v4')).toMatchObject({ rope_scaling: { rope_type: 'default' } });
});

it('linear writes the trained window back, which engines multiply by the factor', () => {
  const raised = changed(QWEN3, {
    max_position_embeddings: 131_072,
    rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 },
  });
  for (const form of ['v4', 'v5'] as const) {
    expect(written(inputFor(raised, linear(4), 131_072), form)).toMatchObject({
      max_position_embeddings: 32_768,
    });
  }
});

it('the parsed config is the one before the edits', () => {
  const input = inputFor(QWEN3, yarn(4, 40_960), 163_840);
  written(input, 'v4');
  expect(input.raw).toEqual(parseConfig(QWEN3));
});

describe('dynamic scaling starts from max_position_embeddings', () => {
  it.each(['v4', 'v5'] as const)(
    'which %s writes where the file leaves it to the class',
    (form) => {
      // A fixture names the key; Falcon's class has 2048 if a file does not.
      const falcon = changed(fixtureText('falcon-7b'), { max_position_embeddings: undefined });
      const input = inputFor(falcon, dynamic(2), 4096);
      expect(written(input, form)).toMatchObject({ max_position_embeddings: 2048 });
      const named = inputFor(fixtureText('falcon-7b'), dynamic(2), 4096);
      expect(editsOf(named, form).map(({ path }) => path.at(-1))).not.toContain(
        'max_position_embeddings',
      );
    },
  );
});
