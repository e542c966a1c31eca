import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { resolveCandidate } from '../../src/candidates/resolve.js';
import { claimedLength } from '../../src/gate/check.js';
import { parseConfig } from '../../src/json/parse.js';
import { chooseReference, referenceSpecs } from '../../src/model/evidence.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import type { ModelGeometry } from '../../src/model/types.js';
import { configText } from '../emit/input.js';
import { readFixture } from '../read.js';

function claimOf(name: string, more: object = {}): number {
  const model = readModel(
    parseConfig(JSON.stringify({ ...(JSON.parse(configText(name)) as object), ...more })),
  );
  if (isNotRope(model)) throw new Error('no RoPE');
  return claimBy(model, '');
}

/** @param candidate a shorthand that replaces the config's scaling; '' = the config as it is */
function claimBy(model: ModelGeometry, candidate: string): number {
  const reference = chooseReference(model);
  const trained = {
    specs: referenceSpecs(model, model, reference),
    window: reference.trainedWindow,
  };
  const [definition] = candidate === '' ? [] : parseCandidates(candidate);
  const specs = definition && resolveCandidate(definition, model, reference).specs;
  const groups = model.groups.map((group, i) => ({ ...group, rope: specs?.[i] ?? group.rope }));
  return claimedLength({ ...model, groups }, trained);
}

const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32768 };

describe('the length that a config claims', () => {
  it.each([
    ['Llama-2-7b-hf', {}, 4096],
    ['Llama-2-7b-hf', { rope_scaling: { rope_type: 'linear', factor: 8 } }, 32_768],
    ['Llama-2-7b-hf', { rope_scaling: { rope_type: 'dynamic', factor: 2 } }, 8192],
    ['Llama-2-7b-hf', { max_position_embeddings: 16384 }, 16_384],
    ['Qwen2.5-7B-Instruct', { rope_scaling: yarn }, 131_072],
    // The window was raised and is scaled: the block names what it stretches, 4 x 32768.
    ['Qwen2.5-7B-Instruct', { rope_scaling: yarn, max_position_embeddings: 131072 }, 131_072],
    ['Meta-Llama-3.1-8B', {}, 131_072],
    // Gemma 3 4B, whose factor of 8 gave the 131,072.
    [
      'gemma-3-1b-it',
      { max_position_embeddings: 131072, rope_scaling: { rope_type: 'linear', factor: 8 } },
      131_072,
    ],
  ])('%s with %j is %i', (name, more, length) => {
    expect(claimOf(name, more)).toBe(length);
  });
});

describe('a trained-in extension', () => {
  const folder = new URL('../../fixtures/model-configs/', import.meta.url);
  const trainedIn = readdirSync(folder).flatMap((name) => {
    const model = readModel(parseConfig(readFileSync(new URL(name, folder), 'utf8')));
    if (isNotRope(model) || chooseReference(model).kind !== 'configured') return [];
    return [[name, model] as const];
  });

  it.each(trainedIn)('counts once in %s, as published', (_name, model) => {
    expect(claimBy(model, '')).toBeLessThanOrEqual(model.maxPositions);
  });

  it('is in most kinds of the fixtures', () => {
    const kinds = new Set(trainedIn.map(([, model]) => model.groups[0]?.rope.type));
    expect([...kinds].sort()).toEqual(['llama3', 'ntk', 'yarn']);
  });

  it.each([
    // 8192 x 32 is more than the weights can do according to the file.
    ['Llama-3.2-1B-Instruct.json', 'as-configured', 131_072],
    ['Hunyuan-7B.json', 'as-configured', 32_768],
    ['Meta-Llama-3.1-8B.json', 'llama3:2', 262_144],
    ['Meta-Llama-3.1-8B.json', 'yarn:2', 262_144],
    ['Meta-Llama-3.1-8B.json', 'linear:2', 262_144],
    ['Meta-Llama-3.1-8B.json', 'ntk:2', 262_144],
    ['Hunyuan-7B.json', 'ntk:2', 65_536],
    ['Hunyuan-7B.json', 'yarn:2', 65_536],
    ['DeepSeek-V3.json', 'yarn:2', 327_680],
  ])('is where %s starts: %s claims %i', (name, candidate, length) => {
    expect(claimBy(readFixture(name), candidate)).toBe(length);
  });
});
