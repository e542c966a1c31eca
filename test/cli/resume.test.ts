import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../helpers/environment.js';
import { makeReport } from '../helpers/report.js';
import { temporaryFolder } from '../helpers/temporary.js';

const CONFIG = resolve('configs/Llama-2-7b-hf.json');
const unfinished = makeReport({
  status: 'failed',
  unfinished: { reason: 'the probe engine stopped: it was killed (SIGKILL)', jobs: [] },
});

async function resume(saved: unknown, args: readonly string[] = [], evaluate = makeReport) {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'r.json'), typeof saved === 'string' ? saved : JSON.stringify(saved));
  const argv = [CONFIG, '--resume', 'r.json', ...args];
  return runCli(argv, { cwd, evaluate: async () => evaluate() });
}

describe('--resume', () => {
  it('hands the saved report to the evaluation', async () => {
    const { code, calls } = await resume(unfinished);
    expect(code).toBe(0);
    expect(calls[0]?.options.resume).toEqual(unfinished);
  });

  it.each([
    ['what is not a report', { model_type: 'llama' }, 2, /not a rope-eval report/],
    ['what is not JSON', '{', 2, /r\.json/],
    ['a complete report', makeReport(), 2, /r\.json is complete: there is nothing to resume/],
    ['another schema version', { ...unfinished, schemaVersion: '9.0' }, 3, /report schema 9\.0/],
  ])('refuses %s before anything is run', async (_, saved, exitCode, message) => {
    const { code, stderr, calls } = await resume(saved);
    expect(code).toBe(exitCode);
    expect(stderr).toMatch(message);
    expect(calls).toEqual([]);
  });

  it('refuses a file that is not there, and a search', async () => {
    expect((await runCli([CONFIG, '--resume', 'none.json'])).stderr).toContain('no such file');
    const search = await resume(unfinished, ['--target', '16384', '--optimize']);
    expect(search).toMatchObject({ code: 2, calls: [] });
  });

  it('says why a run failed, where its part is, and how to go on', async () => {
    const { code, stderr } = await resume(unfinished, ['-o', 'part.json'], () => unfinished);
    expect(code).toBe(3);
    expect(stderr).toContain('error: the probe engine stopped: it was killed (SIGKILL)');
    expect(stderr).toContain('saved to part.json');
    expect(stderr).toContain('--resume part.json');
    expect(stderr).not.toContain('interrupted');
  });
});
