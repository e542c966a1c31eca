import { expect, test } from 'vitest';
import { analyseGeometry } from '../../src/geometry/analyse.js';
import {
  type CandidateGeometry,
  GeometryReportSchema,
  type GroupGeometry,
} from '../../src/geometry/schema.js';
import type { ModelGeometry } from '../../src/model/types.js';
import {
  deepseekV3,
  deepseekV3Reference,
  gemma3,
  gemma3Reference,
  llama2,
  llama2Reference,
  plain,
  yarn,
} from './models.js';

const options = { target: 16384, dtype: 'bfloat16', bandwidthGBps: null } as const;
const yarn4 = { label: 'yarn:4', specs: [yarn(1e4, 4, 4096)] };

function only<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('empty');
  return item;
}

function firstCandidate(group: GroupGeometry): CandidateGeometry {
  return only(group.candidates);
}

test('a candidate next to the reference, per layer group', () => {
  const { groups } = analyseGeometry(llama2, llama2Reference, [yarn4], options);
  const group = only(groups);
  expect(group.reference.criticalDimension).toBe(92);
  expect(group.reference.criticalFraction).toBeCloseTo(0.2965, 4);
  const candidate = firstCandidate(group);
  expect(candidate.changed).toBe(true);
  expect(candidate.maxStretch).toBeCloseTo(4, 9);
  expect(candidate.outOfRange).toEqual([]);
  expect(candidate.inRangeUpTo).toBe(16384);
  // YaRN's logits grow by the square of its mscale (arXiv:2309.00071, section 3.4).
  expect(candidate.logitScale).toBeCloseTo((0.1 * Math.log(4) + 1) ** 2, 9);
});

test('the config itself is no change', () => {
  const asConfigured = { label: 'as-configured', specs: [plain(1e4)] };
  const { groups } = analyseGeometry(llama2, llama2Reference, [asConfigured], options);
  const candidate = firstCandidate(only(groups));
  expect(candidate.changed).toBe(false);
  expect(candidate.outOfRange.length).toBe(18);
  expect(candidate.decay).toBe(only(groups).reference.decay);
});

test('a scaling on sliding layers is a pure loss, and its range is the window', () => {
  const specs = [yarn(1e6, 4, 32768, 256), yarn(1e4, 4, 32768, 256)];
  const { groups } = analyseGeometry(gemma3, gemma3Reference, [{ label: 'yarn:4', specs }], {
    ...options,
    target: 131072,
  });
  const [global, sliding] = groups;
  expect(global?.trainedRange).toBe(32768);
  expect(global?.targetRange).toBe(131072);
  expect(sliding?.trainedRange).toBe(512);
  expect(sliding?.targetRange).toBe(512);
  expect(global?.candidates[0]?.pureLoss).toBe(false);
  expect(sliding?.candidates[0]?.pureLoss).toBe(true);
  expect(sliding?.candidates[0]?.outOfRange).toEqual([]);
});

test('the softmax scale is part of the change', () => {
  const bare = {
    label: 'none',
    specs: deepseekV3.groups.map(({ unscaled }) => unscaled),
    softmaxScale: deepseekV3.unscaledSoftmaxScale,
  };
  const { groups } = analyseGeometry(deepseekV3, deepseekV3Reference, [bare], options);
  const candidate = firstCandidate(only(groups));
  expect(candidate.logitScale).toBeCloseTo(1 / (0.1 * Math.log(40) + 1) ** 2, 9);
});

test('length-dependent tables are those in use at the target', () => {
  const dynamic = {
    label: 'dynamic:1',
    specs: [{ type: 'dynamic', theta: 1e4, rotaryDim: 128, factor: 1, maxPositions: 4096 }],
  } as const;
  const { groups } = analyseGeometry(llama2, llama2Reference, [dynamic], options);
  const candidate = firstCandidate(only(groups));
  expect(candidate.maxStretch).toBeCloseTo(4, 9);
  expect(candidate.boundary?.length).toBe(4096);
});

test('the cost covers the trained window, its doublings and the target', () => {
  const lengths = (target: number): number[] | undefined =>
    analyseGeometry(llama2, llama2Reference, [], { ...options, target }).cost?.lengths.map(
      ({ tokens }) => tokens,
    );
  expect(lengths(16384)).toEqual([4096, 8192, 16384]);
  expect(lengths(10000)).toEqual([4096, 8192, 10000]);
  expect(lengths(4096)).toEqual([4096]);
  expect(lengths(2048)).toEqual([2048, 4096]);
});

test.each([
  [
    'a frozen tail',
    { type: 'proportional', theta: 1e6, rotaryDim: 128, partialRotaryFactor: 0.25, factor: 1 },
  ],
  ['two dimensions', { type: 'default', theta: 1e4, rotaryDim: 2 }],
  ['theta just above 1', { type: 'default', theta: 1.0001, rotaryDim: 128 }],
  ['a huge theta', { type: 'default', theta: 1e30, rotaryDim: 128 }],
] as const)('no number is NaN or infinite: %s', (_, rope) => {
  const model: ModelGeometry = {
    ...llama2,
    groups: [{ ...only(llama2.groups), rope, unscaled: rope }],
  };
  const candidates = [
    { label: 'as-configured', specs: [rope] },
    { label: 'other', specs: [plain(1e4, rope.rotaryDim)] },
  ];
  const report = analyseGeometry(model, llama2Reference, candidates, options);
  // The schema takes finite numbers only.
  expect(() => GeometryReportSchema.parse(report)).not.toThrow();
});
