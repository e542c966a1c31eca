import { execFileSync, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBounded } from '../../src/cli/streams.js';
import { runCli } from '../helpers/environment.js';
import { errorAt } from '../helpers/errors.js';
import { temporaryFolder } from '../helpers/temporary.js';

const LIMITS = { bytes: 100_000, kind: 'a test' };

const read = (path: string): Promise<Buffer> => readBounded(path, 'it', LIMITS, 300);

async function fifo(): Promise<string> {
  const path = join(await temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

/** Writes into a pipe from another process, as a shell's `<(…)` does. */
function feed(path: string, script: string): void {
  spawn('bash', ['-c', `{ ${script}; } > "$0" 2>/dev/null`, path], { stdio: 'ignore' }).unref();
}

describe('a read', () => {
  it('gives files up to the bound', async () => {
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, 'a'.repeat(LIMITS.bytes));
    expect(await read(path)).toHaveLength(LIMITS.bytes);
    await writeFile(path, 'a'.repeat(LIMITS.bytes + 1));
    await expect(read(path)).rejects.toMatchObject({ kind: 'too_large', exitCode: 2 });
  });

  it('gives what comes through a pipe, at once or in parts', async () => {
    const path = await fifo();
    feed(path, 'printf hello; sleep 0.1; printf " world"');
    expect((await read(path)).toString()).toBe('hello world');
  });

  it.each(['/dev/zero', '/dev/null', '/dev/urandom'])('refuses the device %s', async (path) => {
    await expect(read(path)).rejects.toMatchObject({ kind: 'not_a_file' });
  });

  it('refuses a folder', async () => {
    await expect(read('/tmp')).rejects.toMatchObject({ kind: 'not_a_file' });
  });

  it('ends a pipe that gives more than the bound', async () => {
    const path = await fifo();
    feed(path, 'cat /dev/zero');
    await expect(read(path)).rejects.toMatchObject({ kind: 'too_large' });
  });

  it('does not wait for ever for a pipe without a writer, or with one that is silent', async () => {
    await expect(read(await fifo())).rejects.toMatchObject({ kind: 'timed_out' });
    const path = await fifo();
    feed(path, 'sleep 5');
    await expect(read(path)).rejects.toMatchObject({ kind: 'timed_out' });
  });
});

const CONFIG = 'configs/Llama-2-7b-hf.json';

describe('every input', () => {
  it.each([
    ['the config', ['inspect', '/dev/zero']],
    ['the base config', ['check', CONFIG, '--base', '/dev/zero']],
    ['the policy', ['check', CONFIG, '--policy', '/dev/zero']],
    ['the baseline', ['check', CONFIG, '--baseline', '/dev/zero']],
    ['the report to resume', [CONFIG, '--resume', '/dev/zero']],
    ['the dump', ['fingerprint', CONFIG, '--diff', '/dev/zero']],
    ['reports to compare', ['compare', '/dev/zero', '/dev/zero']],
    ['parts to merge', ['merge', '/dev/zero', '/dev/zero']],
    ['longrope factors', [CONFIG, '--candidates', 'longrope:/dev/zero']],
  ])('is bounded: %s', async (_, argv) => {
    const { code, error } = await runCli(argv);
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('not_a_file'));
  });

  it('found in the working directory is bounded: the policy', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'rope-eval.config.json'));
    await writeFile(join(cwd, 'config.json'), '{"model_type": "llama"}');
    const { code, error } = await runCli(['check', 'config.json'], { cwd });
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('not_a_file', { file: 'rope-eval.config.json' }));
  });

  it('on standard input is bounded', async () => {
    const { code, error } = await runCli(['inspect', '-'], { stdin: 'x'.repeat(9_000_000) });
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('too_large', { file: 'standard input' }));
  });
});
