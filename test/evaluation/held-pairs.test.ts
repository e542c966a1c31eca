import { beforeAll, describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluate } from '../../src/evaluate.js';
import { wordFinding } from '../../src/findings/index.js';
import type { Report } from '../../src/report/schema/report.js';
import { subjectWords } from '../../src/report/sections/conditions.js';

/** c 0.071: nearly every pair turns within the window. */
const config = JSON.stringify({
  model_type: 'llama',
  architectures: ['LlamaForCausalLM'],
  hidden_size: 4096,
  num_attention_heads: 32,
  num_hidden_layers: 32,
  max_position_embeddings: 32768,
  rope_theta: 10000,
});

it('says where no probe model stands for a model', async () => {
  const short = JSON.stringify({ ...JSON.parse(config), rope_theta: 500 });
  const { findings, recommendation } = await evaluate(short, {
    candidates: parseCandidates('linear:2'),
    preset: 'quick',
    samples: 2,
    threads: 1,
    worker: false,
    device: 'cpu',
  });
  expect(recommendation.code).toBeDefined();
  expect(findings.map(wordFinding).join()).toMatch(
    /critical fraction −0\.38 is outside .* to 0\.59/,
  );
});

describe('a model below the family', () => {
  let report: Report;
  beforeAll(async () => {
    report = await evaluate(config, {
      target: 65536,
      candidates: parseCandidates('linear:2,dynamic:1,ntk:2'),
      samples: 4,
      threads: 1,
      worker: false,
      device: 'cpu',
    });
  });
  const row = (label: string) => report.candidates.find((c) => c.label === label)!;

  it('says how many pairs of the probe it does not have', () => {
    expect(report.subject).toMatchObject({ name: 'c0.38-s1', heldPairs: 10 });
    expect(subjectWords(report)).toMatch(/\b10\b/);
  });

  it('does not break unscaled at twice its window, as no pair leaves its angles far', () => {
    const atTarget = row('reference').needle.find((n) => n.multiple === 2)!;
    // Without holding the pairs, it loses 0.8 nats and all but 6 % of the facts.
    expect(atTarget.lossChange.value).toBeLessThan(0.3);
    expect(atTarget.accuracy.value).toBeGreaterThan(0.3);
  });

  it('does not take the holding for a scaling that depends on the length', () => {
    expect(row('reference').offset?.verdict).toBe('none');
    expect(row('linear:2').offset?.verdict).toBe('none');
  });

  it('has every form of a dynamic scaling to the target', () => {
    expect(row('dynamic:1').forms?.map((f) => f.form)).toEqual(['recomputed', 'cached', 'static']);
    const [recomputed, , fixed] = row('dynamic:1').forms!;
    expect(recomputed!.needle.map((n) => n.multiple)).toContain(2);
    // The static table that serves the target has the base of static NTK there.
    expect(fixed!.needle.at(-1)!.lossChange).toEqual(row('ntk:2').needle.at(-1)!.lossChange);
  });
});
