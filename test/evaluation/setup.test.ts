import { describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { setUp } from '../../src/evaluation/setup.js';
import { computeRope } from '../../src/rope/registry.js';
import { modelConfig } from '../golden-cases.js';

type Config = Record<string, unknown>;

const configOf = (name: string): Config => JSON.parse(modelConfig(name)) as Config;

/** Sets up a change of a config, judged against the config before it. */
function change(before: Config, after: Config, candidates?: string) {
  return setUp(JSON.stringify(after), {
    base: JSON.stringify(before),
    ...(candidates === undefined ? {} : { candidates: parseCandidates(candidates) }),
  });
}

describe('with the config before a change', () => {
  const deepseek = configOf('DeepSeek-V3.json');
  const llama = configOf('Meta-Llama-3.1-8B.json');

  it('a lost softmax factor is a change, though the tables are the same', () => {
    const block = deepseek['rope_scaling'] as Config;
    const after = {
      ...deepseek,
      rope_scaling: { ...block, mscale: 0, mscale_all_dim: 0, attention_factor: 1 },
    };
    const { candidates, groups } = change(deepseek, after, 'as-configured,none,yarn:2');
    const [own, none, yarn] = candidates;
    expect(computeRope(own!.specs[0]!)).toEqual(computeRope(groups[0]!.reference));
    const trained = (0.1 * Math.log(40) + 1) ** 2;
    expect(own?.softmaxScaleRatio).toBeCloseTo(1 / trained, 12);
    expect(none?.softmaxScaleRatio).toBeCloseTo(1 / trained, 12);
    expect(yarn?.softmaxScaleRatio).toBeCloseTo((0.1 * Math.log(80) + 1) ** 2 / trained, 12);
    expect(change(deepseek, after).candidates[0]?.label).toBe('as-configured');
  });

  it('shorthands start from the config before it', () => {
    const after = { ...llama, rope_theta: 10_000 };
    const { candidates } = change(llama, after, 'as-configured,yarn:2,none,theta:1e6');
    expect(candidates.map(({ specs }) => specs[0]?.theta)).toEqual([1e4, 5e5, 5e5, 1e6]);
  });

  it('the usual set has what the config says now, where that is not the reference', () => {
    const labels = (after: Config): string[] =>
      change(llama, after).candidates.map(({ label }) => label);
    expect(labels({ ...llama, rope_scaling: null }).slice(0, 2)).toEqual(['as-configured', 'none']);
    expect(labels(llama)[0]).toBe('none');
  });

  it('heads of another width are refused', () => {
    const after = { ...llama, head_dim: 64 };
    for (const [a, b] of [
      [llama, after],
      [after, llama],
    ] as const) {
      expect(() => change(a, b, 'as-configured')).toThrow(
        expect.objectContaining({
          exitCode: 3,
          kind: 'not_comparable',
          path: 'base',
          message: expect.stringMatching(/\b(128 .*\b64|64 .*\b128)\b/),
        }),
      );
    }
  });
});
