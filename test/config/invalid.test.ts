import { describe, expect, it } from 'vitest';
import { checkSequenceLength } from '../../src/cli/options.js';
import { RopeEvalError } from '../../src/errors.js';
import { findingName } from '../../src/findings/index.js';
import { parseConfig } from '../../src/json/parse.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import { computeRope } from '../../src/rope/registry.js';
import { goldenLines, type InvalidCase } from '../golden-cases.js';
import { errorAt } from '../helpers/errors.js';

/** What is done, in the terms of the fixture: an action and the reported kinds. */
interface Outcome {
  readonly action: 'error' | 'warn' | 'accept';
  readonly kinds: readonly string[];
}

/**
 * Cases in which this tool deliberately does something else than the fixture recommends, and why.
 */
const DEVIATIONS: Readonly<Record<string, Outcome & { readonly why: string }>> = {
  'model_type-unknown': {
    action: 'warn',
    kinds: ['unknown_model_type'],
    why: 'a new model type with ordinary keys is read as a plain decoder, with a warning, so that the tool works on the day a model comes out',
  },
  'linear-factor-nan': {
    action: 'error',
    kinds: ['invalid_value'],
    why: "Python's JSON is read, since published configs have Infinity in keys that do not matter; the value is refused where it does",
  },
  'linear-factor-infinity': {
    action: 'error',
    kinds: ['invalid_value'],
    why: 'as linear-factor-nan',
  },
};

function outcome(test: InvalidCase): Outcome {
  const text = test.config_text ?? (test.config === null ? '' : JSON.stringify(test.config));
  try {
    const model = readModel(parseConfig(text));
    if (isNotRope(model)) return { action: 'error', kinds: ['not_rope'] };
    model.groups.forEach((group) => computeRope(group.rope));
    const warnings = model.findings.filter((found) => found.severity === 'warning');
    return { action: warnings.length > 0 ? 'warn' : 'accept', kinds: warnings.map(findingName) };
  } catch (error) {
    if (!(error instanceof RopeEvalError)) throw error;
    expect(error.exitCode).toBe(2);
    expect(error.message).not.toBe('');
    return { action: 'error', kinds: [error.kind] };
  }
}

/** `or` leaves the choice to us, so both alternatives are right. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  error: ['error'],
  warn: ['warn'],
  accept: ['accept'],
  'accept-as-longrope': ['warn'],
  'accept-strip-bom': ['accept'],
  'accept-or-error': ['accept', 'error'],
  'error-or-accept': ['accept', 'error'],
};

const CASES = goldenLines<InvalidCase>('invalid.jsonl').filter(
  (test) => test.id !== 'cli-bad-seq-len',
);

describe('a config that is wrong gets the recommended action', () => {
  it.each(CASES.map((test) => [test.id, test] as const))('%s', (id, test) => {
    const found = outcome(test);
    const deviation = DEVIATIONS[id];
    if (deviation !== undefined) {
      expect(found).toEqual({ action: deviation.action, kinds: deviation.kinds });
      return;
    }
    expect(ACTIONS[test.cli.action]).toContain(found.action);
    if (found.action !== 'accept') expect(found.kinds).toContain(test.cli.error_kind);
  });

  it.each([0, -1, 1.5, Number.NaN, 1e308, '0', '1.5', 'many', ''])(
    'refuses the sequence length %s',
    (length) => {
      expect(() => checkSequenceLength(length)).toThrow(
        errorAt('out_of_range', { option: 'sequenceLength' }),
      );
    },
  );
});
