import { describe, expect, it } from 'vitest';
import { InspectSchema } from '../../src/report/schema/inspect.js';
import { runCli } from '../helpers/environment.js';

const CONFIG = 'configs/Llama-2-7b-hf.json';

async function inspect(...argv: string[]) {
  const { code, stdout } = await runCli(['inspect', CONFIG, ...argv, '--json']);
  expect(code).toBe(0);
  const { shown, layerTypes } = InspectSchema.parse(JSON.parse(stdout));
  return { length: shown.sequenceLength, table: layerTypes['full_attention']! };
}

describe('inspect --seq-len', () => {
  it('shows a scaling that depends on the length at that length', async () => {
    const { table: trained } = await inspect();
    const stretch = async (length: string): Promise<number> => {
      const { table } = await inspect('--candidate', 'dynamic:4', '--seq-len', length);
      expect(table.invFreq[0]).toBe(trained.invFreq[0]);
      expect(table.attentionScaling).toBe(1);
      return trained.invFreq.at(-1)! / table.invFreq.at(-1)!;
    };
    // Transformers: alpha = 4 * L / 4096 - 3, and the slowest pair is divided by it.
    expect(await stretch('8k')).toBeCloseTo(5, 6);
    expect(await stretch('16k')).toBeCloseTo(13, 6);
    expect(await stretch('4k')).toBeCloseTo(1, 6);
  });

  it('shows which list of longrope counts, and its attention scaling', async () => {
    const longrope = ['--candidate', 'longrope:test/cli/longrope.json'];
    const { table: short } = await inspect(...longrope, '--seq-len', '4k');
    const { table: long } = await inspect(...longrope, '--seq-len', '16k');
    expect(short.invFreq).not.toEqual(long.invFreq);
    expect(short.attentionScaling).toBeGreaterThan(1);
  });

  it('changes nothing where the table is the same at every length', async () => {
    const { table } = await inspect('--candidate', 'yarn:4', '--seq-len', '16k');
    expect(table.attentionScaling).toBeCloseTo(1.1386, 4);
    expect(table).toEqual((await inspect('--candidate', 'yarn:4', '--seq-len', '4k')).table);
  });

  it('is no length without it', async () => {
    expect((await inspect()).length).toBeNull();
  });
});

describe('plain ways of saying it', () => {
  it.each(['131,072', '131_072', '128k'])('a length of %s', async (length) => {
    const { length: read } = await inspect('--candidate', 'dynamic:4', '--seq-len', length);
    expect(read).toBe(131_072);
  });

  it.each(['1,31072', ',131', '131,07'])('not %s', async (length) => {
    const { code } = await runCli(['inspect', CONFIG, '--seq-len', length]);
    expect(code).toBe(2);
  });

  it.each([
    ['fp8', 'float8'],
    ['BF16', 'bfloat16'],
    ['fp8_e5m2', 'float8'],
  ])('--dtype %s is %s', async (name, dtype) => {
    const { stdout } = await runCli(['inspect', CONFIG, '--dtype', name, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ cost: { dtype } });
  });

  it('a format that nobody has', async () => {
    const { code, stderr } = await runCli(['inspect', CONFIG, '--dtype', 'fp9']);
    expect(code).toBe(2);
    expect(stderr).toContain('float8');
  });

  it.each(['12', 're12', 'RE012'])('explain %s', async (code) => {
    const { stdout } = await runCli(['explain', code]);
    expect(stdout).toMatch(/^RE012 /);
  });

  it('help emit', async () => {
    const { code, stdout } = await runCli(['help', 'emit']);
    expect(code).toBe(0);
    expect(stdout).toBe((await runCli(['emit', '--help'])).stdout);
  });
});
