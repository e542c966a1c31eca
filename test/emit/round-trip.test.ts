import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { resolveCandidate } from '../../src/candidates/resolve.js';
import { type ConfigForm, editedRecord, emitInputOf, hfPatch } from '../../src/emit/index.js';
import { parseConfig } from '../../src/json/parse.js';
import { chooseReference, referenceSoftmaxScale } from '../../src/model/evidence.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import type { ModelGeometry } from '../../src/model/types.js';
import { computeRope } from '../../src/rope/registry.js';

/**
 * What is written into a config must be what its class reads from it, for every fixture, every kind
 * of candidate and both forms. Pairs that are not listed in REFUSED must be written.
 */
const CANDIDATES = [
  'none',
  'yarn:4',
  'yarn:4:truncate=false',
  'by-parts:4',
  'ntk:4',
  'dynamic:1',
  'linear:4',
  'llama3:4',
  'theta:5e6',
] as const;

/** Configs that cannot express a scaling, and those that can in one form only. */
const REFUSED: readonly {
  readonly configs: readonly string[];
  readonly candidates?: readonly string[];
  readonly form?: ConfigForm;
  readonly reason: RegExp;
}[] = [
  { configs: ['esm2_t33_650M', 'gpt-j-6b'], reason: /one fixed table/ },
  {
    configs: ['gemma-3-1b-it', 'modernbert-base'],
    candidates: ['yarn:4:truncate=false'],
    reason: /truncate=false is not read/,
  },
  {
    configs: ['modernbert-base'],
    candidates: ['yarn:4', 'by-parts:4', 'ntk:4', 'dynamic:1', 'linear:4', 'llama3:4', 'theta:5e6'],
    form: 'v4',
    reason: /kinds of layers differ/,
  },
];

/** Their block does not mention a length, so the window in the file is raised to it. */
const WITHOUT_WINDOW: readonly string[] = ['none', 'ntk:4', 'llama3:4', 'theta:5e6'];

/** Their block names the window, and the file has the extended one, up to which engines serve. */
const STRETCHED = /^(yarn|by-parts)/;

const folder = new URL('../../fixtures/model-configs/', import.meta.url);
const fixtures = readdirSync(folder)
  .map((file) => file.replace('.json', ''))
  .map((name) => ({ name, text: readFileSync(new URL(`${name}.json`, folder), 'utf8') }));

const qwen = JSON.parse(
  fixtures.find(({ name }) => name === 'Qwen2.5-7B-Instruct')?.text ?? '',
) as object;
/** Files that no fixture represents. */
const VARIANTS = [
  {
    name: 'a raised window with its YaRN',
    text: JSON.stringify({
      ...qwen,
      max_position_embeddings: 131_072,
      rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 },
    }),
  },
  {
    name: 'theta inside rope_parameters',
    text: JSON.stringify({
      ...qwen,
      rope_theta: undefined,
      rope_parameters: { rope_type: 'default', rope_theta: 1e6 },
    }),
  },
  {
    name: 'theta inside rope_scaling',
    text: JSON.stringify({
      ...qwen,
      rope_theta: undefined,
      rope_scaling: { rope_type: 'linear', factor: 2, rope_theta: 1e6 },
    }),
  },
  {
    name: 'a window on some layers, one block',
    text: JSON.stringify({
      ...qwen,
      use_sliding_window: true,
      sliding_window: 4096,
      max_window_layers: 14,
    }),
  },
];

function rope(text: string): ModelGeometry | undefined {
  const model = readModel(parseConfig(text));
  return isNotRope(model) ? undefined : model;
}

const cases = [...fixtures, ...VARIANTS].filter(({ text }) => rope(text) !== undefined);

describe.each(cases)('$name', ({ name, text }) => {
  const raw = parseConfig(text);
  const model = rope(text) as ModelGeometry;
  const reference = chooseReference(model);
  const window = reference.trainedWindow;

  it.each(CANDIDATES.flatMap((label) => [[label, 'v4'] as const, [label, 'v5'] as const]))(
    '%s in the form %s',
    (label, form) => {
      const [definition] = parseCandidates(label);
      if (!definition) throw new Error('no candidate');
      const { specs, softmaxScaleRatio } = resolveCandidate(definition, model, reference);
      const input = emitInputOf(label, model, reference, specs, raw, 4 * window);
      const patch = input && hfPatch(input, form);
      const refused = REFUSED.find(
        (row) =>
          row.configs.includes(name) &&
          (row.candidates?.includes(label) ?? true) &&
          (row.form ?? form) === form,
      );
      if (refused) {
        expect(patch).toMatchObject({ ok: false, reason: expect.stringMatching(refused.reason) });
        return;
      }
      if (!patch?.ok) throw new Error(patch?.reason);
      const read = readModel(editedRecord(raw, patch.edits)) as ModelGeometry;
      for (const [index, group] of read.groups.entries()) {
        const want = specs[index];
        if (!want) throw new Error('another number of groups');
        for (const length of [window, 4 * window]) expectSame(want, group.rope, length);
      }
      const softmax = softmaxScaleRatio * referenceSoftmaxScale(model, reference);
      expect(read.softmaxScale / softmax).toBeCloseTo(1, 6);
      expectWindow(label, read);
    },
  );

  function expectWindow(label: string, read: ModelGeometry): void {
    const after = chooseReference(read);
    if (WITHOUT_WINDOW.includes(label)) expect(read.maxPositions).toBe(4 * window);
    else if (STRETCHED.test(label)) {
      expect(read.maxPositions).toBe(4 * window);
      // The block names the original window, so an overlay does not count as trained.
      if (after.kind === 'unscaled') {
        const trained = model.groups[0]?.rope;
        const under = trained && 'originalMaxPositions' in trained && trained.originalMaxPositions;
        expect([window, under]).toContain(after.trainedWindow);
      }
    } else {
      // If the weights' own scaling was replaced, the window under it counts.
      const trained = model.groups[0]?.rope;
      const under = trained && 'originalMaxPositions' in trained && trained.originalMaxPositions;
      expect([window, after.kind !== reference.kind && under]).toContain(after.trainedWindow);
    }
  }
});

function expectSame(
  want: ModelGeometry['groups'][number]['rope'],
  got: ModelGeometry['groups'][number]['rope'],
  length: number,
): void {
  const a = computeRope(want, length);
  const b = computeRope(got, length);
  expect(b.attentionScaling / a.attentionScaling).toBeCloseTo(1, 6);
  expect(b.invFreq.length).toBe(a.invFreq.length);
  for (const [pair, frequency] of a.invFreq.entries()) {
    if (frequency !== 0) expect((b.invFreq[pair] ?? 0) / frequency).toBeCloseTo(1, 6);
  }
}
