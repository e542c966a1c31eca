import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { defaultCandidates, parseCandidates } from '../../src/candidates/definition.js';
import { resolveCandidate } from '../../src/candidates/resolve.js';
import { RopeEvalError } from '../../src/errors.js';
import { wordFinding } from '../../src/findings/index.js';
import { parseConfig } from '../../src/json/parse.js';
import { chooseReference } from '../../src/model/evidence.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import { computeRope } from '../../src/rope/registry.js';
import { type GoldenCase, goldenLines, type InvalidCase, modelConfig } from '../golden-cases.js';

/** The number of inputs, which a seed makes the same in every run. `FUZZ_RUNS` raises it. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 20_000);
const OPTIONS = { seed: 20_240_607, numRuns: RUNS };

/** Reading one config takes well under a millisecond, so this is a hang. */
const MAX_MILLISECONDS = 2000;

/** Reads a text completely: tables, reference, candidates. Only our own errors may be thrown. */
function readAll(text: string): void {
  const start = performance.now();
  try {
    const model = readModel(parseConfig(text));
    model.findings.map(wordFinding);
    if (isNotRope(model)) return;
    for (const group of model.groups) {
      for (const length of [undefined, 1, 1_000_000]) checkTable(computeRope(group.rope, length));
      checkTable(computeRope(group.unscaled));
    }
    const reference = chooseReference(model);
    for (const definition of defaultCandidates(4, model, reference)) {
      const candidate = resolveCandidate(definition, model, reference);
      candidate.specs.forEach((spec) => checkTable(computeRope(spec, 1_000_000)));
      checkNumber(candidate.softmaxScaleRatio);
    }
  } catch (error) {
    if (!(error instanceof RopeEvalError)) throw error;
    if (error.message.length > 2000) throw new Error('message too long', { cause: error });
  }
  if (performance.now() - start > MAX_MILLISECONDS) throw new Error('took too long');
}

function checkTable(table: { invFreq: Float64Array; attentionScaling: number }): void {
  table.invFreq.forEach(checkNumber);
  checkNumber(table.attentionScaling);
}

function checkNumber(value: number): void {
  if (!Number.isFinite(value)) throw new Error(`a number that is not finite: ${value}`);
}

const REAL: readonly Record<string, unknown>[] = [
  ...readdirSync(new URL('../../fixtures/model-configs', import.meta.url)).map(
    (name) => JSON.parse(modelConfig(name)) as Record<string, unknown>,
  ),
  ...goldenLines<GoldenCase>('rope.jsonl').map((golden) => golden.config),
];

const MODEL_TYPES = [...new Set(goldenLines<GoldenCase>('more.jsonl').map((g) => g.config))]
  .map((config) => config['model_type'])
  .filter((type) => typeof type === 'string');

const KEYS = [...new Set(REAL.flatMap((config) => allKeys(config)))];

function allKeys(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...allKeys(inner)]);
}

const oddValue = fc.oneof(
  fc.constantFrom(null, 0, -1, 1, 2, 0.5, 1e-300, 1e300, 2 ** 53, true, '', 'yarn', [], {}, [1, 2]),
  fc.constantFrom('linear', 'dynamic', 'llama3', 'longrope', 'proportional', 'default', 'su'),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -10, max: 1_000_000 }),
  fc.jsonValue({ maxDepth: 2 }),
);

const change = fc.tuple(fc.constantFrom(...KEYS), oddValue, fc.nat({ max: 3 }));

/** Sets keys at random places of a real config: at the top, in the block, in the text part. */
const mutated = fc
  .tuple(fc.constantFrom(...REAL), fc.array(change, { minLength: 1, maxLength: 4 }))
  .map(([config, changes]) => {
    const copy = structuredClone(config);
    for (const [key, value, where] of changes) {
      const parts = [copy, copy['rope_scaling'], copy['rope_parameters'], copy['text_config']];
      const target = parts[where];
      const record = typeof target === 'object' && target !== null ? target : copy;
      Object.defineProperty(record, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return JSON.stringify(copy);
  });

describe('no input crashes, hangs, or gives a number that is not finite', () => {
  it('any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), readAll), OPTIONS);
  });

  it('any JSON', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), readAll), OPTIONS);
  });

  it('any object of known keys', () => {
    const object = fc
      .tuple(
        fc.constantFrom(...MODEL_TYPES),
        fc.dictionary(fc.constantFrom(...KEYS), oddValue, { maxKeys: 12 }),
      )
      .map(([model_type, keys]) => JSON.stringify({ ...keys, model_type }));
    fc.assert(fc.property(object, readAll), OPTIONS);
  });

  it('real configs with odd values', () => {
    fc.assert(fc.property(mutated, readAll), OPTIONS);
  });

  it('cut and spliced texts of the invalid set', () => {
    const texts = goldenLines<InvalidCase>('invalid.jsonl').map(
      (test) => test.config_text ?? JSON.stringify(test.config),
    );
    const spliced = fc
      .tuple(fc.constantFrom(...texts), fc.nat(), fc.nat({ max: 40 }), fc.string({ maxLength: 8 }))
      .map(([text, at, length, insert]) => {
        const start = at % (text.length + 1);
        return text.slice(0, start) + insert + text.slice(start + length);
      });
    fc.assert(fc.property(spliced, readAll), OPTIONS);
  });

  it('any candidate text', () => {
    const words = fc.constantFrom(
      'yarn',
      'linear',
      ':',
      '=',
      ',',
      '4',
      'beta_fast',
      '{',
      '}',
      '"',
      'e9',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 12 }).map((w) => w.join('')),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        try {
          parseCandidates(candidate);
        } catch (error) {
          if (!(error instanceof RopeEvalError)) throw error;
        }
      }),
      OPTIONS,
    );
  });
});
