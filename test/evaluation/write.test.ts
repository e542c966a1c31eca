import { expect, it } from 'vitest';
import { parseCandidates, resolveCandidate } from '../../src/candidates/index.js';
import { chooseReference, parseConfig, readModel, requireRope } from '../../src/config/index.js';
import type { Setup } from '../../src/evaluation/setup.js';
import { keysToWrite } from '../../src/evaluation/write.js';
import { fixtureText } from '../emit/input.js';

function write(name: string, label: string) {
  const text = fixtureText(name);
  const model = requireRope(readModel(parseConfig(text)));
  const reference = chooseReference(model);
  const candidates = parseCandidates(label).map((d) => resolveCandidate(d, model, reference));
  const target = { tokens: 4 * reference.trainedWindow };
  const setup = { model, reference, candidates, target } as unknown as Setup;
  return keysToWrite(setup, { code: 'use', candidate: label, tied: [] }, text);
}

it('gives the keys of a class that reads them', () => {
  const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 8192 };
  expect(write('gemma-2-9b-it', 'yarn:4')).toEqual({ rope_scaling: yarn });
});

it('gives none where the class would not read them', () => {
  expect(write('gpt-j-6b', 'yarn:4')).toBeUndefined();
  expect(write('gemma-3-1b-it', 'yarn:4:truncate=false')).toBeUndefined();
});
