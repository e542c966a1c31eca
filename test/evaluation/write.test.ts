import { expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { resolveCandidate } from '../../src/candidates/resolve.js';
import { keysToWrite, unwritableFindings } from '../../src/evaluation/recommendation.js';
import { type Setup, setUp } from '../../src/evaluation/setup.js';
import { chooseReference } from '../../src/model/evidence.js';
import { readConfig, requireRope } from '../../src/model/read-model.js';
import { fixtureText } from '../emit/input.js';

function setupOf(text: string, labels: string): Setup {
  const config = readConfig(text);
  const model = requireRope(config.model);
  const reference = chooseReference(model);
  const candidates = parseCandidates(labels).map((d) => resolveCandidate(d, model, reference));
  const target = { tokens: 4 * reference.trainedWindow };
  return { config, model, reference, candidates, target } as unknown as Setup;
}

function write(name: string, label: string) {
  const text = fixtureText(name);
  return keysToWrite(setupOf(text, label), { code: 'use', candidate: label, tied: [] });
}

it('gives the keys of a class that reads them', () => {
  const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 8192 };
  expect(write('gemma-2-9b-it', 'yarn:4')).toEqual({
    rope_scaling: yarn,
    max_position_embeddings: 32_768,
  });
});

it('gives the form of the file, where the class reads it for the global layers alone', () => {
  const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 };
  expect(write('gemma-3-1b-it', 'yarn:4')).toEqual({
    rope_scaling: yarn,
    max_position_embeddings: 131_072,
  });
});

it('gives none where the class would not read them', () => {
  expect(write('gpt-j-6b', 'yarn:4')).toBeUndefined();
  expect(write('gemma-3-1b-it', 'yarn:4:truncate=false')).toBeUndefined();
});

it('names the candidates that a class cannot be told, once for each reason', () => {
  const found = (text: string, labels: string) =>
    unwritableFindings(setupOf(text, labels)).map(({ code, args }) => [
      code,
      'candidates' in args && args.candidates,
    ]);
  const gptj = fixtureText('gpt-j-6b');
  expect(found(gptj, 'yarn:4,linear:4')).toEqual([['RE058', ['yarn:4', 'linear:4']]]);
  const phi3 = JSON.stringify({
    model_type: 'phi3',
    hidden_size: 3072,
    num_attention_heads: 32,
    num_hidden_layers: 32,
    max_position_embeddings: 4096,
    rope_theta: 10_000,
  });
  expect(found(phi3, 'yarn:4,ntk:4,linear:4').map(([, names]) => names)).toEqual([
    ['yarn:4'],
    ['linear:4'],
  ]);
  expect(unwritableFindings(setupOf(phi3, 'yarn:4'))[0]?.args).toMatchObject({
    engines: ['vllm', 'sglang', 'llama.cpp'],
  });
  expect(found(fixtureText('Llama-2-7b-hf'), 'yarn:4,ntk:4,dynamic:1,linear:4')).toEqual([]);
  expect(found(fixtureText('gemma-3-1b-it'), 'yarn:4')).toEqual([]);
});

it('gives the length that a config to be kept lacks, and nothing where it names enough', () => {
  const mistral = {
    model_type: 'mistral',
    hidden_size: 4096,
    num_attention_heads: 32,
    num_hidden_layers: 32,
    max_position_embeddings: 32_768,
    sliding_window: 4096,
    rope_theta: 10_000,
  };
  const keep = { code: 'keep' as const, candidate: 'reference', tied: [] };
  const at = (target: number, more: object = {}) =>
    keysToWrite(setUp(JSON.stringify({ ...mistral, ...more }), { target }), keep);
  expect(at(131_072)).toEqual({ max_position_embeddings: 131_072 });
  expect(at(32_768)).toBeUndefined();
  // A scaling that the weights do not know is none to keep.
  expect(at(131_072, { rope_scaling: { rope_type: 'linear', factor: 2 } })).toBeUndefined();
});
