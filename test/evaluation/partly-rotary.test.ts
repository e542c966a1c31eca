import { expect, it } from 'vitest';
import { setUp } from '../../src/evaluation/setup.js';

const codes = (config: object): string[] =>
  setUp(JSON.stringify(config), {}).findings.map((f) => f.code);

const pythia = {
  model_type: 'gpt_neox',
  hidden_size: 1024,
  num_attention_heads: 16,
  num_hidden_layers: 24,
  max_position_embeddings: 2048,
};

it('a model of which a quarter rotates is told what the probe models lack', () => {
  const { findings } = setUp(JSON.stringify({ ...pythia, rotary_pct: 0.25 }), {});
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'RE056', args: { rotary: 16, head: 64 } }),
  );
});

it('a model that rotates whole heads is not', () => {
  expect(codes({ ...pythia, rotary_pct: 1 })).not.toContain('RE056');
});
