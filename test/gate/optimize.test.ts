import { describe, expect, it } from 'vitest';
import { optimize, type OptimizeOptions } from '../../src/gate/optimize.js';
import { defaultPolicy } from '../../src/gate/policy.js';
import { candidate, makeReport, short } from '../helpers/report.js';

/** yarn reaches its nominal factor, ntk two thirds of it, linear hurts, dynamic reaches three quarters. */
const REACH: Record<string, number> = { yarn: 1, ntk: 0.66, linear: 1, dynamic: 0.75 };
const LOSS: Record<string, number> = { yarn: 0.004, ntk: 0.004, linear: 0.07, dynamic: 0 };

const options: OptimizeOptions = {
  target: 131_072,
  trainedWindow: 32_768,
  reference: 'unscaled',
  policy: defaultPolicy(),
  evaluate: async (labels) =>
    makeReport({
      candidates: [
        candidate('none', 'reference', 1, short(0, 0)),
        ...labels.map((label) => {
          const [scaling = '', factor = '1'] = label.split(':');
          const loss = (LOSS[scaling] ?? 0) * Number(factor);
          return candidate(
            label,
            'reaches',
            Math.min(4, (REACH[scaling] ?? 0) * Number(factor)),
            short(0, loss),
          );
        }),
      ],
    }),
  kvCacheGiB: () => undefined,
};

describe('the factor search', () => {
  it('finds the smallest factor that passes, not the first that is nominal', async () => {
    expect((await optimize(options)).best?.candidate).toBe('yarn:4');
  });

  it('goes above the nominal factor where a scaling falls short of it', async () => {
    const result = await optimize({ ...options, scalings: ['ntk'] });
    expect(result.trials.find((trial) => trial.factor === 4)?.passes).toBe(false);
    expect(result.best?.candidate).toBe('ntk:6');
  });

  it('has no share of facts where the reference finds none', async () => {
    const evaluate: OptimizeOptions['evaluate'] = async (...asked) => {
      const report = await options.evaluate(...asked);
      const none = { value: 0, low: 0, high: 0 };
      const [reference, ...others] = report.candidates;
      const needle = reference!.needle.map((rung) => ({ ...rung, accuracy: none }));
      return { ...report, candidates: [{ ...reference!, needle }, ...others] };
    };
    const result = await optimize({ ...options, evaluate, scalings: ['yarn'] });
    expect(result.best).toBeNull();
    expect(result.trials.map(({ needleAtTarget }) => needleAtTarget)).toContain(null);
    expect(result.trials.every(({ needleAtTarget }) => needleAtTarget === null)).toBe(true);
  });

  it('gives a setting per length', async () => {
    const result = await optimize({ ...options, scalings: ['yarn'] });
    expect(result.perLength).toEqual([
      { upTo: 32_768, candidate: 'none' },
      { upTo: 65_536, candidate: 'yarn:2' },
      { upTo: 131_072, candidate: 'yarn:4' },
    ]);
  });

  it('leaves a trained-in scaling in place up to the trained window', async () => {
    const result = await optimize({ ...options, reference: 'configured', scalings: ['yarn'] });
    expect(result.perLength[0]).toEqual({ upTo: 32_768, candidate: 'as-configured' });
  });

  it('finds nothing where nothing passes', async () => {
    const result = await optimize({ ...options, scalings: ['linear'] });
    expect(result.best).toBeNull();
    expect(result.trials.every((trial) => trial.outcome === 'failed')).toBe(true);
  });
});
