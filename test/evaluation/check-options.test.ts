import { describe, expect, it } from 'vitest';
import {
  compareEncodings,
  evaluate,
  inspect,
  parseCandidates,
  type EvaluateOptions,
  type InspectOptions,
} from '../../src/index.js';
import { modelConfig } from '../golden-cases.js';
import { errorAt } from '../helpers/errors.js';

const config = modelConfig('Llama-2-7b-hf.json');
/** Values that untyped programs may pass. */
const options = (given: Record<string, unknown>) => given as EvaluateOptions;
const openEngine = () => Promise.reject(new Error('opened'));

describe('options of the library', () => {
  it.each([
    [{ candidates: ['yarn:2'] }, /option candidates\[0\].*parseCandidates.*found "yarn:2"/],
    [{ candidates: 'yarn:2' }, /option candidates: must be a list/],
    [{ candidates: [] }, /option candidates: must not be empty/],
    [{ candidates: [{ label: 'yarn:2', method: 'yran', factor: 2 }] }, /option candidates\[0\]/],
    [
      { candidates: [{ label: 'yarn:2', method: 'yarn' }] },
      /option candidates\[0\].*parseCandidates/,
    ],
    [{ preset: 'quck' }, /option preset: must be one of quick, standard, thorough, found "quck"/],
    [{ device: 'tpu' }, /option device: must be one of auto, cpu, cuda, found "tpu"/],
    [{ reference: 'foo' }, /option reference: must be one of unscaled, configured/],
    [{ target: '8k' }, /option target: must be a whole number of tokens.*found "8k"/],
    [{ target: Number.NaN }, /option target.*found NaN/],
    [{ trainedWindow: 0 }, /option trainedWindow.*found 0/],
    [{ samples: 0 }, /option samples: must be a whole number from 1 to 100000, found 0/],
    [{ samples: 1.5 }, /option samples.*found 1.5/],
    [{ threads: 0 }, /option threads: must be a whole number from 1 to 64, found 0/],
    [{ threads: 1000 }, /option threads.*found 1000/],
    [{ seed: -1 }, /option seed.*found -1/],
    [{ lengths: ['8k'] }, /option lengths/],
    [{ base: {} }, /option base/],
    [{ target_length: 8192 }, /option target_length is not known/],
    [{ sample: 3 }, /option sample is not known \(did you mean "samples"\?\)/],
    [{ onProgress: 1 }, /option onProgress: must be a function, found 1/],
    [{ signal: {} }, /option signal: must be an AbortSignal/],
  ])('refuses %j before anything is opened', async (given, says) => {
    const failure = evaluate(config, options({ ...given, openEngine }));
    await expect(failure).rejects.toMatchObject({ exitCode: 2, kind: 'bad_option' });
    await expect(failure).rejects.toThrow(says);
  });

  it('are checked for encodings too', async () => {
    await expect(compareEncodings({ threads: 0 })).rejects.toThrow(/option threads/);
  });

  it('are those of encodings alone there', async () => {
    const given = options({ encodings: ['rotary'] });
    await expect(compareEncodings(given)).rejects.toThrow(
      errorAt('bad_option', { option: 'encodings[0]' }),
    );
    await expect(compareEncodings(options({ target: 8192 }))).rejects.toThrow(
      errorAt('bad_option', { option: 'target' }),
    );
  });

  it.each([
    [{ dtype: 'fp8' }, /option dtype: must be one of float32/],
    [{ target: '8k' }, /option target: must be a whole number of tokens/],
    [{ bandwidthGBps: 0 }, /option bandwidthGBps: must be a number above 0, found 0/],
    [{ seqLen: 8192 }, /option seqLen is not known/],
  ])('are checked for inspect too: %j', (given, says) => {
    expect(() => inspect(config, given as InspectOptions)).toThrow(says);
  });

  it('takes a signal', async () => {
    const { signal } = new AbortController();
    await expect(evaluate(config, { signal, openEngine })).rejects.toThrow('opened');
  });

  it('refuses a config that is not text', async () => {
    const parsed = JSON.parse(config) as unknown as string;
    await expect(evaluate(parsed, { openEngine })).rejects.toMatchObject({ exitCode: 2 });
  });

  it('takes every candidate that parseCandidates gives', async () => {
    const list = 'yarn:2:beta_fast=16:truncate=false,linear:2,ntk:2,theta:1e6,none,as-configured';
    const block = parseCandidates('{"rope_type":"linear","factor":3}');
    const candidates = [...parseCandidates(list), ...block];
    await expect(evaluate(config, { candidates, openEngine })).rejects.toThrow('opened');
  });
});
