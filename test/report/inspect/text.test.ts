import { describe, expect, test } from 'vitest';
import type { ModelGeometry, Reference } from '../../../src/model/types.js';
import {
  inspectData,
  inspectNotRope,
  type InspectOptions,
} from '../../../src/report/inspect/data.js';
import { inspectSections, type InspectWords } from '../../../src/report/inspect/sections.js';
import { textOf } from '../../../src/report/terminal.js';
import * as models from '../../geometry/models.js';

const render = (
  model: ModelGeometry,
  reference: Reference,
  options: InspectOptions = {},
  plots = true,
): string => draw(inspectData(model, reference, options), {}, plots);

const draw = (
  data: Parameters<typeof inspectSections>[0],
  words: InspectWords = {},
  plots = true,
) => textOf(inspectSections(data, words), { columns: 80, color: false, plots });

/** Replaces line breaks, which depend only on the width. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

const PAIRS = [
  ['Llama 3.1', models.llama31, models.llama31Reference],
  ['Gemma 3', models.gemma3, models.gemma3Reference],
  ['DeepSeek-V3', models.deepseekV3, models.deepseekV3Reference],
] as const;

test.each(PAIRS)('%s fits into 80 columns', (_, model, reference) => {
  const candidate = {
    label: '{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":8192}',
    specs: model.groups.map(({ unscaled }) =>
      models.yarn(unscaled.theta, 4, reference.trainedWindow, unscaled.rotaryDim),
    ),
  };
  const text = render(model, reference, { candidate, bandwidthGBps: 3350 });
  for (const line of text.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(80);
  expect(text).not.toMatch(/NaN|undefined|Infinity|\[object/);
});

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

test('pictures can be left out', () => {
  const text = render(models.llama31, models.llama31Reference, {}, false);
  expect(text).not.toContain('Turns of each pair');
  expect(text).toContain('What the length costs');
});

test('evidence in words, where the caller has them', () => {
  const data = inspectData(models.llama31, models.llama31Reference);
  const text = draw(data, { evidenceWords: (key) => `model card (${key})` });
  expect(flat(text)).toContain('evidence: model card (llama3)');
});

test('names from the config cannot carry terminal escapes', () => {
  const model = { ...models.llama2, architecture: '\u001b[31mEvil\nName' };
  const text = render(model, models.llama2Reference);
  expect(text).not.toContain('\u001b');
  expect(text).toContain('Evil·Name');
});

test('a model without RoPE', () => {
  const data = inspectNotRope({ modelType: 'gpt2', encoding: 'learned', findings: [] });
  const text = draw(data);
  expect(flat(text)).toContain('does not use RoPE');
});
