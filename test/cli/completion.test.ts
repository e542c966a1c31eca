import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { fakeProcess, runCli } from '../helpers/environment.js';
import { temporaryFolder } from '../helpers/temporary.js';

/** The answer to the shell's script. Its last line is the library's directive. */
async function complete(words: readonly string[], cwd = '.'): Promise<string[]> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await fakeProcess(['complete', '--', ...words], { cwd }).run();
    return log.mock.calls.map(([line]) => String(line).split('\t')[0] ?? '').slice(0, -1);
  } finally {
    log.mockRestore();
  }
}

describe('shell completion', () => {
  it.each(['zsh', 'bash', 'fish', 'powershell'])('prints a script for %s', async (shell) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const ran = await fakeProcess(['complete', shell]).run();
    expect(ran.code).toBe(0);
    expect(String(log.mock.calls[0]?.[0])).toContain('rope-eval');
    log.mockRestore();
  });

  it('refuses another shell', async () => {
    expect((await fakeProcess(['complete', 'tcsh']).run()).code).toBe(2);
  });

  it('shows the shell as required', async () => {
    for (const argv of [['--help'], ['complete', '--help']]) {
      const { stdout } = await runCli(argv);
      expect(stdout).toContain('complete <shell>');
      expect(stdout).not.toContain('[shell]');
    }
  });

  it('offers every command before anything is typed', async () => {
    expect(await complete([])).toContain('inspect');
  });

  it('offers commands, options and their values', async () => {
    expect(await complete(['insp'])).toEqual(['inspect']);
    expect(await complete(['inspect', 'x.json', '--cand'])).toEqual(['--candidate']);
    expect(await complete(['--preset', ''])).toEqual(['quick', 'standard', 'thorough']);
  });

  it('offers JSON files and folders for a config', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'models'));
    await writeFile(join(cwd, 'models', 'config.json'), '{}');
    await writeFile(join(cwd, 'models', 'model.safetensors'), '');
    expect(await complete(['inspect', 'mod'], cwd)).toEqual(['models/']);
    expect(await complete(['inspect', 'models/'], cwd)).toEqual(['models/config.json']);
  });
});
