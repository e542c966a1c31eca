import { describe, expect, it } from 'vitest';
import { runCli } from '../helpers/environment.js';

const CONFIG = 'configs/Llama-2-7b-hf.json';
const HEADING = 'The tables at the length asked for';

async function inspect(...argv: string[]): Promise<string> {
  const { code, stdout } = await runCli(['inspect', ...argv, '--no-plots']);
  expect(code).toBe(0);
  return stdout.replaceAll(/\s+/g, ' ');
}

describe('inspect --seq-len in words', () => {
  it('shows a scaling that depends on the length at that length', async () => {
    const dynamic = [CONFIG, '--candidate', 'dynamic:4'];
    // Transformers: alpha = 4 * L / 4096 - 3, and the slowest pair is divided by it.
    expect(await inspect(...dynamic, '--seq-len', '8k')).toContain(
      'Scaling: dynamic:4, for a sequence of 8,192 tokens. Its table: stretch against the ' +
        'reference 1x at the fastest pair, 5x at the slowest; attention scaling 1.',
    );
    expect(await inspect(...dynamic, '--seq-len', '16k')).toContain('13x at the slowest');
    expect(await inspect(...dynamic, '--seq-len', '4k')).toContain('1x at the slowest');
  });

  it('shows which list of longrope counts, and its attention scaling', async () => {
    const longrope = [CONFIG, '--candidate', 'longrope:test/cli/longrope.json'];
    const [short, long] = [
      await inspect(...longrope, '--seq-len', '4k'),
      await inspect(...longrope, '--seq-len', '16k'),
    ];
    const told = (text: string) => /Its table: (.*?) The weights/.exec(text)?.[1];
    expect(told(short)).toContain('attention scaling');
    expect(told(short)).not.toBe(told(long));
  });

  it('says where the length changes nothing', async () => {
    const text = await inspect(CONFIG, '--candidate', 'yarn:4', '--seq-len', '16k');
    expect(text).toContain('attention scaling 1.1386. This table is the same at every length.');
  });

  it('is silent without it', async () => {
    expect(await inspect(CONFIG)).not.toContain(HEADING);
  });
});

describe('plain ways of saying it', () => {
  it.each(['131,072', '131_072', '128k'])('a length of %s', async (length) => {
    expect(await inspect(CONFIG, '--candidate', 'dynamic:4', '--seq-len', length)).toContain(
      'for a sequence of 131,072 tokens',
    );
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
