import { describe, expect, it } from 'vitest';
import type { EvaluateOptions } from '../../src/options.js';
import { runCli } from '../helpers/environment.js';

const CONFIG = 'configs/Llama-2-7b-hf.json';

async function optionsOf(...argv: string[]): Promise<EvaluateOptions> {
  const ran = await runCli([CONFIG, ...argv]);
  expect(ran.stderr).toBe('');
  return ran.calls[0]?.options ?? {};
}

const labels = ({ candidates }: EvaluateOptions): string[] | undefined =>
  candidates?.map(({ label }) => label);

describe('what the options ask of the evaluation', () => {
  it('leaves the defaults to it', async () => {
    const { onProgress, onEstimate, signal, ...rest } = await optionsOf();
    expect(rest).toEqual({ source: CONFIG });
    expect([typeof onProgress, typeof onEstimate, signal?.aborted]).toEqual([
      'function',
      'function',
      false,
    ]);
  });

  it('passes every setting on', async () => {
    const given = await optionsOf(
      ...['--target', '16k', '--preset', 'quick', '--device', 'cpu', '--seed', '7'],
      ...['--samples', '12', '--threads', '2', '--reference', 'unscaled'],
      ...['--trained-window', '2048'],
    );
    expect(given).toMatchObject({
      target: 16_384,
      preset: 'quick',
      device: 'cpu',
      seed: 7,
      samples: 12,
      threads: 2,
      reference: 'unscaled',
      trainedWindow: 2048,
    });
  });

  it('collects candidates over commas and repeated options', async () => {
    const block = '{"rope_type":"linear","factor":2}';
    const given = await optionsOf('--candidates', 'yarn:4,ntk:4', '--candidates', block);
    expect(labels(given)).toEqual(['yarn:4', 'ntk:4', 'json:linear:2']);
  });

  it('reads longrope factors from a file', async () => {
    const given = await optionsOf('--candidates', 'longrope:test/cli/longrope.json');
    expect(given.candidates?.[0]).toMatchObject({
      label: 'longrope:test/cli/longrope.json',
      method: 'block',
      block: { rope_type: 'longrope', original_max_position_embeddings: 4096 },
    });
  });
});

describe('--factor', () => {
  it('sets the target to the largest and compares the default set of each', async () => {
    const given = await optionsOf('--factor', '2,4');
    expect(given.target).toBe(4 * 4096);
    expect(labels(given)).toEqual(expect.arrayContaining(['yarn:2', 'yarn:4', 'linear:2']));
    expect(new Set(labels(given)).size).toBe(labels(given)?.length);
  });

  it('only sets the target beside --candidates', async () => {
    const given = await optionsOf('--factor', '8', '--candidates', 'yarn:4');
    expect(given.target).toBe(8 * 4096);
    expect(labels(given)).toEqual(['yarn:4']);
  });

  it('only sets the candidates beside --target', async () => {
    const given = await optionsOf('--factor', '4', '--target', '8k');
    expect(given.target).toBe(8192);
    expect(labels(given)).toContain('yarn:4');
  });
});
