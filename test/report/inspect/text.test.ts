import { expect, test } from 'vitest';
import type { ModelGeometry, Reference } from '../../../src/model/types.js';
import { inspectData, type InspectOptions } from '../../../src/report/inspect/data.js';
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

test('pictures can be left out', () => {
  // The mark of the target in a chart, and the price in a table.
  const [all, bare] = [true, false].map((plots) =>
    render(models.llama31, models.llama31Reference, {}, plots),
  );
  expect(all).toContain('┊');
  expect(bare).not.toContain('┊');
  expect(bare).toContain(' GiB');
});

test('evidence in words, where the caller has them', () => {
  const data = inspectData(models.llama31, models.llama31Reference);
  expect(draw(data, { evidenceWords: (key) => `CARD-${key}` })).toContain('CARD-llama3');
});

test('names from the config cannot carry terminal escapes', () => {
  const model = { ...models.llama2, architecture: '\u001b[31mEvil\nName' };
  const text = render(model, models.llama2Reference);
  expect(text).not.toContain('\u001b');
  expect(text).toContain('Evil·Name');
});
