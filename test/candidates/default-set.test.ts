import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultCandidates } from '../../src/candidates/definition.js';
import { resolveCandidate } from '../../src/candidates/resolve.js';
import { parseConfig } from '../../src/json/parse.js';
import { chooseReference } from '../../src/model/evidence.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import { computeRope } from '../../src/rope/registry.js';
import { modelConfig } from '../golden-cases.js';
import { readFixture } from '../read.js';

describe('the default candidates', () => {
  it('for an unscaled model at 4x', () => {
    const model = readFixture('Qwen2.5-7B-Instruct.json');
    expect(defaultCandidates(4, model, chooseReference(model)).map((found) => found.label)).toEqual(
      ['yarn:4', 'by-parts:4', 'llama3:4', 'ntk:4', 'linear:4', 'dynamic:1'],
    );
  });

  it('start with what the reference is not', () => {
    const model = readFixture('Meta-Llama-3.1-8B.json');
    const reference = chooseReference(model);
    expect(defaultCandidates(2, model, reference)[0]?.label).toBe('none');
    const overlay = chooseReference(model, { reference: 'unscaled' });
    expect(defaultCandidates(2, model, overlay)[0]?.label).toBe('as-configured');
  });

  it('round the factor up, so that it covers the target', () => {
    const model = readFixture('Llama-2-7b-hf.json');
    const labels = defaultCandidates(10 / 3, model, chooseReference(model)).map((c) => c.label);
    expect(labels[0]).toBe('yarn:3.34');
  });

  it.each(readdirSync(new URL('../../fixtures/model-configs', import.meta.url)))(
    'are at most 8, and can be computed, for %s',
    (name) => {
      const model = readModel(parseConfig(modelConfig(name)));
      if (isNotRope(model)) return;
      const reference = chooseReference(model);
      const found = defaultCandidates(4, model, reference);
      expect(found.length).toBeLessThanOrEqual(8);
      for (const definition of found) {
        const { specs } = resolveCandidate(definition, model, reference);
        for (const spec of specs) computeRope(spec, 4 * reference.trainedWindow);
      }
    },
  );
});
