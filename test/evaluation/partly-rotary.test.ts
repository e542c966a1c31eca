import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluate } from '../../src/evaluate.js';
import { setUp } from '../../src/evaluation/setup.js';
import { subjectWords } from '../../src/report/sections/conditions.js';

const read = (name: string): string => readFileSync(`fixtures/model-configs/${name}.json`, 'utf8');
const share = (text: string): number => setUp(text, {}).rotaryShare;

it.each([
  ['Llama-2-7b-hf', 1],
  ['pythia-6.9b', 0.25], // rotary_pct
  ['phi-2', 0.4], // partial_rotary_factor
  ['gpt-j-6b', 0.25], // rotary_dim 64 of 256
  ['DeepSeek-V3', 1 / 3], // 64 rotary dimensions beside 128 without position
])('%s rotates %d of each head', (name, expected) => {
  expect(share(read(name))).toBeCloseTo(expected, 6);
});

it('is probed on a model of which a part rotates, and the report says so', async () => {
  const report = await evaluate(read('pythia-6.9b'), {
    candidates: parseCandidates('yarn:4'),
    samples: 2,
    threads: 1,
    worker: false,
    device: 'cpu',
  });
  expect(report.subject).toMatchObject({ kind: 'probe-model', rotaryShare: 0.25 });
  expect(report.reference.rotaryShare).toBe(0.25);
  expect(subjectWords(report)).toMatch(/\b25 % .*\b25 %/);
});
