import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ComparisonSchema } from '../../../src/gate/baseline.js';
import { runCli } from '../../helpers/environment.js';
import { errorAt } from '../../helpers/errors.js';
import { candidate, makeReport, short } from '../../helpers/report.js';
import { temporaryFolder } from '../../helpers/temporary.js';

async function compare(args: readonly string[], after = makeReport(), before = makeReport()) {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'a.json'), JSON.stringify(before));
  await writeFile(join(cwd, 'b.json'), JSON.stringify(after));
  return runCli(['compare', 'a.json', 'b.json', ...args], { cwd });
}

const changed = makeReport({
  candidates: [
    candidate('none', 'reference', 1, short(0, 0)),
    candidate('yarn:4', 'fails-short', 2, short(-0.3, 0.5)),
  ],
});

it('shows two reports side by side', async () => {
  const { code, stdout } = await compare([], changed);
  expect(code).toBe(0);
  expect(stdout).toMatch(/yarn:4.*short\.lossChange.*0\.042.*0\.5/);
  expect(stdout).toContain('Only before');
});

it('is JSON with --json', async () => {
  const { stdout } = await compare(['--json'], changed);
  ComparisonSchema.parse(JSON.parse(stdout));
  expect(JSON.parse(stdout)).toMatchObject({ before: 'a.json', paired: true });
});

it('refuses what is not a report', async () => {
  const { code, error } = await runCli(['compare', 'package.json', 'package.json']);
  expect(code).toBe(2);
  expect(error).toEqual(errorAt('bad_report', { file: 'package.json' }));
});

it('says once which report is of an unfinished run', async () => {
  const { code, stdout, stderr } = await compare([], makeReport({ status: 'interrupted' }));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('status: complete | interrupted');
});

it('says so too where both are unfinished', async () => {
  const unfinished = makeReport({ status: 'interrupted' });
  const { code, stderr } = await compare([], unfinished, unfinished);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^.*\binterrupted\b.*\n$/);
});

it('keeps its lines within the terminal', async () => {
  const { settings } = makeReport();
  const { stdout } = await compare([], makeReport({ settings: { ...settings, seed: 2 } }));
  expect(stdout).toContain('seed: 0 | 2');
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});
