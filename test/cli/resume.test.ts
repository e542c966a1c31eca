import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../helpers/environment.js';
import { errorAt } from '../helpers/errors.js';
import { makeReport } from '../helpers/report.js';
import { temporaryFolder } from '../helpers/temporary.js';

const CONFIG = resolve('configs/Llama-2-7b-hf.json');
const reason = 'the probe engine stopped: it was killed (SIGKILL)';
const unfinished = makeReport({ status: 'failed', unfinished: { reason, jobs: [] } });
const FILE = { file: 'r.json' };

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
    ['what is not a report', { model_type: 'llama' }, 2, errorAt('bad_report', FILE)],
    ['what is not JSON', '{', 2, errorAt('invalid_json')],
    ['a complete report', makeReport(), 2, errorAt('already_complete', { option: 'resume' })],
    [
      'another schema version',
      { ...unfinished, schemaVersion: '9.0' },
      3,
      errorAt('not_comparable', FILE),
    ],
  ])('refuses %s before anything is run', async (_, saved, exitCode, expected) => {
    const { code, error, calls } = await resume(saved);
    expect({ code, calls }).toEqual({ code: exitCode, calls: [] });
    expect(error).toEqual(expected);
    expect(String(error)).toContain('r.json');
  });

  it('refuses a file that is not there, and a search', async () => {
    const { error } = await runCli([CONFIG, '--resume', 'none.json']);
    expect(error).toEqual(errorAt('missing_file', { file: 'none.json' }));
    const search = await resume(unfinished, ['--target', '16384', '--optimize']);
    expect(search).toMatchObject({ code: 2, calls: [] });
  });

  it('says why a run failed, where its part is, and how to go on', async () => {
    const { code, stderr } = await resume(unfinished, ['-o', 'part.json'], () => unfinished);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: .*\bpart\.json$/m);
    expect(stderr).toContain(`error: ${reason}; `);
    expect(stderr).toContain('--resume part.json');
    expect(stderr).not.toContain('interrupted');
  });
});
