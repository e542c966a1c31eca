import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RopeEvalError } from '../../src/errors.js';
import { chooseReference } from '../../src/model/evidence.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import { inspectData } from '../../src/report/inspect/data.js';
import { inspectSections } from '../../src/report/inspect/sections.js';
import { textOf } from '../../src/report/terminal.js';
import { type GoldenCase, goldenLines } from '../golden-cases.js';

/** JSON writes null for NaN, so the numbers are checked before they are converted. */
function notFinite(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [`${path} = ${value}`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => notFinite(inner, `${path}.${key}`));
}

const scaling = fc.oneof(
  fc.record({
    rope_type: fc.constantFrom('linear', 'dynamic', 'yarn'),
    factor: fc.double({ min: 1, max: 1e6, noNaN: true }),
    original_max_position_embeddings: fc.integer({ min: 1, max: 1 << 20 }),
  }),
  fc.record({
    rope_type: fc.constant('llama3'),
    factor: fc.double({ min: 1, max: 1e3, noNaN: true }),
    low_freq_factor: fc.double({ min: 0.1, max: 4, noNaN: true }),
    high_freq_factor: fc.double({ min: 4, max: 64, noNaN: true }),
    original_max_position_embeddings: fc.integer({ min: 1, max: 1 << 20 }),
  }),
);

const plain = fc.record(
  {
    model_type: fc.constantFrom('llama', 'mistral', 'phi', 'glm', 'gpt_neox', 'qwen2'),
    num_attention_heads: fc.constantFrom(1, 8, 32),
    hidden_size: fc.constantFrom(32, 1024, 4096),
    head_dim: fc.constantFrom(2, 4, 64, 80, 256),
    num_hidden_layers: fc.integer({ min: 1, max: 40 }),
    max_position_embeddings: fc.oneof(
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: 1, max: 1 << 22 }),
    ),
    rope_theta: fc.oneof(
      fc.double({ min: 1.0001, max: 10, noNaN: true }),
      fc.double({ min: 10, max: 1e38, noNaN: true }),
    ),
    sliding_window: fc.option(fc.integer({ min: 1, max: 8192 })),
    rope_scaling: fc.option(scaling),
  },
  { requiredKeys: ['model_type', 'num_attention_heads', 'hidden_size', 'max_position_embeddings'] },
);

const published = fc.constantFrom(
  ...goldenLines<GoldenCase>('rope.jsonl').map(({ config }) => config),
);

test('no number of inspect is NaN or infinite, and it draws without one', () => {
  fc.assert(
    fc.property(
      fc.oneof(plain, published),
      fc.option(fc.integer({ min: 1, max: 1 << 24 }), { nil: undefined }),
      (config, target) => {
        try {
          const model = readModel(config);
          if (isNotRope(model)) return;
          const data = inspectData(
            model,
            chooseReference(model),
            target === undefined ? {} : { target },
          );
          expect(notFinite(data)).toEqual([]);
          const text = textOf(inspectSections(data), { columns: 80, color: false, plots: true });
          expect(text).not.toMatch(/NaN|Infinity|undefined|\[object/);
        } catch (error) {
          if (!(error instanceof RopeEvalError)) throw error;
        }
      },
    ),
    { seed: 7, numRuns: 120 },
  );
});
