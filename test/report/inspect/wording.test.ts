import { describe, expect, it, test } from 'vitest';
import { diffFingerprint } from '../../../src/geometry/fingerprint.js';
import type { ModelGeometry, Reference } from '../../../src/model/types.js';
import { fingerprintDiffSections } from '../../../src/report/fingerprint.js';
import {
  inspectData,
  inspectNotRope,
  type InspectOptions,
} from '../../../src/report/inspect/data.js';
import { inspectAnswer, inspectSections } from '../../../src/report/inspect/sections.js';
import { textOf } from '../../../src/report/terminal.js';
import { computeRope } from '../../../src/rope/registry.js';
import * as models from '../../geometry/models.js';
import { runCli } from '../../helpers/environment.js';

const context = { columns: 80, color: false, plots: false };

/** Replaces line breaks, which depend only on the width. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

const render = (model: ModelGeometry, reference: Reference, options: InspectOptions = {}): string =>
  textOf(inspectSections(inspectData(model, reference, options), {}), context);

describe('a stranger can say what each model does', () => {
  test('Llama 3.1', () => {
    const text = flat(render(models.llama31, models.llama31Reference));
    expect(text).toContain(
      'All 32 layers see the whole context. Theta 500,000. Llama 3 scaling with factor 8: pairs that turn more than 4 times in 8,192 tokens are left alone, those that turn less than once are divided by 8',
    );
    expect(text).toContain('trained with the scaling in this config on 131,072 tokens');
    expect(text).toContain('The other reading: trained with the base frequencies on 8,192 tokens');
    expect(text).toContain('Every token adds 128 KiB');
  });

  test('Gemma 3', () => {
    const text = flat(render(models.gemma3, models.gemma3Reference));
    expect(text).toContain('full_attention: 4 layers see the whole context');
    expect(text).toContain('sliding_attention: 22 layers see the last 512 tokens only');
    expect(text).toContain('once the windows of the local layers (22 x 512) are full');
  });

  test('DeepSeek-V3', () => {
    const text = flat(render(models.deepseekV3, models.deepseekV3Reference));
    expect(text).toContain(
      'YaRN with factor 40: pairs that turn more than 32 times in 4,096 tokens',
    );
    expect(text).toContain(
      'one latent of 512 numbers a token, which carries no position; 64 more dimensions',
    );
    expect(text).toContain('The softmax scale is 0.13523, 1.874 times');
  });
});

test('a scaling on local layers is called a loss', () => {
  const candidate = {
    label: 'linear:4',
    specs: models.gemma3.groups.map(({ unscaled: { theta, rotaryDim } }) => ({
      type: 'linear' as const,
      theta,
      rotaryDim,
      factor: 4,
    })),
  };
  const text = flat(render(models.gemma3, models.gemma3Reference, { candidate }));
  expect(text).toContain('sliding_attention, linear:4: stretched up to 4x although these layers');
});

test('local layers alone: what they know is their window, whatever the context', () => {
  const [, sliding] = models.gemma3.groups;
  const model = { ...models.gemma3, groups: sliding === undefined ? [] : [sliding] };
  expect(flat(render(model, models.gemma3Reference))).toContain(
    'within 512 tokens, the most that these layers see',
  );
});

test('layers without RoPE are listed', () => {
  const model = { ...models.llama31, layersWithoutRope: [3, 7] };
  expect(flat(render(model, models.llama31Reference))).toContain(
    '2 layers without RoPE (layers 3, 7)',
  );
});

test('one layer alone', () => {
  const [group] = models.llama2.groups;
  const model = { ...models.llama2, groups: [{ ...group!, layers: [0] }] };
  expect(flat(render(model, models.llama2Reference))).toContain('The one layer sees');
});

test('a model without RoPE', () => {
  const data = inspectNotRope({ modelType: 'gpt2', encoding: 'learned', findings: [] });
  const text = textOf(inspectSections(data, {}), context);
  expect(flat(text)).toContain('does not use RoPE');
});

test('a model whose frequencies all turn in training', () => {
  const { groups, ...rest } = models.llama2;
  const [group] = groups;
  const fast = models.plain(100, group!.rope.rotaryDim);
  const model = { ...rest, groups: [{ ...group!, rope: fast, unscaled: fast }] };
  const data = inspectData(model, models.llama2Reference);
  expect(flat(textOf(inspectAnswer(data), context))).toContain('every frequency turns fully');
});

describe('inspect --seq-len in words', () => {
  const CONFIG = 'configs/Llama-2-7b-hf.json';
  const inspect = async (...argv: string[]): Promise<string> =>
    flat((await runCli(['inspect', ...argv])).stdout);

  it('shows a scaling that depends on the length at that length', async () => {
    const dynamic = [CONFIG, '--candidate', 'dynamic:4'];
    // Transformers: alpha = 4 * L / 4096 - 3, and the slowest pair is divided by it.
    expect(await inspect(...dynamic, '--seq-len', '8k')).toContain(
      'Scaling: dynamic:4, for a sequence of 8,192 tokens. Its table: stretch against the ' +
        'reference 1x at the fastest pair, 5x at the slowest; attention scaling 1.',
    );
    expect(await inspect(...dynamic, '--seq-len', '16k')).toContain('13x at the slowest');
    expect(await inspect(...dynamic, '--seq-len', '4k')).toContain('1x at the slowest');
  });

  it('shows which list of longrope counts, and its attention scaling', async () => {
    const longrope = [CONFIG, '--candidate', 'longrope:test/cli/longrope.json'];
    const [short, long] = [
      await inspect(...longrope, '--seq-len', '4k'),
      await inspect(...longrope, '--seq-len', '16k'),
    ];
    const told = (text: string) => /Its table: (.*?) The weights/.exec(text)?.[1];
    expect(told(short)).toContain('attention scaling');
    expect(told(short)).not.toBe(told(long));
  });

  it('says where the length changes nothing', async () => {
    const text = await inspect(CONFIG, '--candidate', 'yarn:4', '--seq-len', '16k');
    expect(text).toContain('attention scaling 1.1386. This table is the same at every length.');
  });

  it('is silent without it', async () => {
    const heading = 'The tables at the length asked for';
    expect(await inspect(CONFIG)).not.toContain(heading);
    expect(await inspect(CONFIG, '--seq-len', '8k')).toContain(heading);
  });
});

describe('a difference from an engine in words', () => {
  test('says what it looks like', () => {
    const unscaled = computeRope(models.plain(1e4));
    const diff = diffFingerprint(
      computeRope(models.yarn(1e4, 4, 4096)),
      { key: 'inv_freq', values: Array.from(unscaled.invFreq) },
      { upTo: 16384, unscaled },
    );
    const text = flat(textOf(fingerprintDiffSections(diff), context));
    expect(text).toContain(`from position ${diff.partsFrom}.`);
    expect(text).toContain('the engine does not apply this scaling');
  });

  test('a cosine at position 0 differs in its value, not in an angle', () => {
    const values = [1.2, 1.2 * Math.cos(1)];
    const diff = diffFingerprint(
      { invFreq: Float64Array.of(1), attentionScaling: 1 },
      { key: 'cos', values },
      { upTo: 16, unscaled: { invFreq: Float64Array.of(1), attentionScaling: 1 } },
    );
    expect(textOf(fingerprintDiffSections(diff), context)).toContain(
      'the values part by more than 0.02',
    );
  });
});
