import { expect, test } from 'vitest';
import { inspectData, inspectNotRope } from '../../../src/report/inspect/data.js';
import { type InspectData, InspectSchema } from '../../../src/report/schema/inspect.js';
import {
  deepseekV3,
  deepseekV3Reference,
  gemma3,
  gemma3Reference,
  llama2,
  llama2Reference,
  llama31,
  llama31Reference,
  yarn,
} from '../../geometry/models.js';

const MODELS = [
  ['Llama 2', llama2, llama2Reference],
  ['Llama 3.1', llama31, llama31Reference],
  ['Gemma 3', gemma3, gemma3Reference],
  ['DeepSeek-V3', deepseekV3, deepseekV3Reference],
] as const;

test.each(MODELS)('%s: survives JSON and fits its schema', (_, model, reference) => {
  const data = inspectData(model, reference, { bandwidthGBps: 3350, source: 'config.json' });
  const back: unknown = JSON.parse(JSON.stringify(data));
  expect(InspectSchema.parse(back)).toEqual(back);
  expect(back).toEqual(data);
});

test('what a reader of --json looks up, per layer type', () => {
  const { layerTypes } = inspectData(gemma3, gemma3Reference);
  expect(Object.keys(layerTypes)).toEqual(['full_attention', 'sliding_attention']);
  expect(layerTypes['sliding_attention']).toMatchObject({
    ropeType: 'default',
    theta: 1e4,
    rotaryDim: 256,
    headDim: 256,
    trainedWindow: 32768,
    layout: 'half',
    attentionScaling: 1,
    span: { kind: 'sliding', window: 512 },
  });
  expect(layerTypes['sliding_attention']?.invFreq.length).toBe(128);
  expect(layerTypes['full_attention']?.layers).toEqual([5, 11, 17, 23]);
});

test('both readings of the reference, with their critical fractions', () => {
  const { reference } = inspectData(llama31, llama31Reference);
  expect(reference).toMatchObject({
    kind: 'configured',
    trainedWindow: 131072,
    evidence: 'llama3',
  });
  // c of the base frequencies at 8192 tokens: 0.453.
  expect(reference?.alternative).toMatchObject({ kind: 'unscaled', trainedWindow: 8192 });
  expect(reference?.alternative?.criticalFraction).toBeCloseTo(0.4534, 4);
});

test('no other reading, said as null', () => {
  expect(inspectData(llama2, llama2Reference).reference?.alternative).toBeNull();
});

test('the length and the scaling that are shown can be chosen', () => {
  const candidate = { label: 'yarn:4', specs: [yarn(1e4, 4, 4096)] };
  const data = inspectData(llama2, llama2Reference, { candidate, sequenceLength: 9000 });
  expect(data.shown).toEqual({ scaling: 'yarn:4', sequenceLength: 9000 });
  expect(data.layerTypes['full_attention']?.ropeType).toBe('yarn');
  expect(data.layerTypes['full_attention']?.parameters).toMatchObject({ factor: 4, betaFast: 32 });
  const labels = data.geometry?.groups[0]?.candidates.map(({ label }) => label);
  expect(labels).toEqual(['as-configured', 'yarn:4']);
});

test('the base frequencies are compared where a scaling is configured', () => {
  const labels = (data: InspectData): string[] | undefined =>
    data.geometry?.groups[0]?.candidates.map(({ label }) => label);
  expect(labels(inspectData(llama31, llama31Reference))).toEqual(['as-configured', 'none']);
  expect(labels(inspectData(llama2, llama2Reference))).toEqual(['as-configured']);
});

test('the target is four times the trained window unless one is given', () => {
  expect(inspectData(llama2, llama2Reference).geometry?.target).toBe(16384);
  expect(inspectData(llama2, llama2Reference, { target: 6000 }).geometry?.target).toBe(6000);
});

test('two tables of one layer type do not hide each other', () => {
  const [group] = llama2.groups;
  if (group === undefined) throw new Error('no group');
  const twice = { ...llama2, groups: [group, { ...group, layers: [40] }] };
  const { layerTypes } = inspectData(twice, llama2Reference);
  expect(Object.keys(layerTypes)).toEqual(['full_attention', 'full_attention#2']);
});

test('a model without RoPE has no geometry, and its encoding is named', () => {
  const data = inspectNotRope({ modelType: 'gpt2', encoding: 'learned', findings: [] });
  expect(InspectSchema.parse(data)).toMatchObject({
    encoding: 'learned',
    layerTypes: {},
    geometry: null,
  });
});
