import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../helpers/built.js';

const script = join(ROOT, 'tools/validation/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'validate-'));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const run = (...args: string[]): string =>
  execFileSync(process.execPath, ['--import', 'tsx', script, ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  });

const rows = [
  { method: 'none', eval_length: 1024, value: 2.9 },
  { method: 'none', eval_length: 2048, value: 9 },
  { method: 'yarn', params: { factor: 2 }, eval_length: 1024, value: 2.95 },
  { method: 'YaRN (s=2)', eval_length: 2048, value: 3 },
  { method: 'linear', params: { factor: 2 }, eval_length: 1950, value: 4 },
  { method: 'yarn', params: { factor: 2 }, eval_length: 100, value: 3 },
  { method: 'linear', params: { factor: 2 }, eval_length: 64, value: 3.4 },
  { method: 'yarn', params: { factor: 2 }, eval_length: 64, value: 3 },
  { method: 'yarn', params: { factor: 2 }, eval_length: 63, value: 3 },
  { method: 'magic', eval_length: 2048, value: 1 },
];
const model = { name: 'small', head_dim: 64, rope_theta: 10000, trained_context: 1024 };
const results = file(
  'results.json',
  JSON.stringify([{ id: 'small', model, finetuned: false, metric: 'loss', rows }]),
);

it('probes another model, at lengths off the ladder too, and lists what it cannot use', () => {
  const out = run('--results', results);
  expect(out).toMatch(/^8 rows .*\b2\b/m);
  expect(out).toContain('"magic"');
  expect(out).toMatch(/ 1\/16 .* at 63\)/);
  expect(out).toMatch(/at 64 +│ any +│ 1\/1 \(100 %\)/);
  // A model that is not in the list of published reaches has nothing to be compared with.
  expect(out).not.toMatch(/static NTK/);
  expect(out).not.toMatch(/NaN|undefined/);
}, 180_000);

it('a file without a usable row says so and probes nothing', () => {
  const path = file('empty.json', '[]');
  expect(run('--results', path)).toMatch(/^0 rows .*\b0\b/m);
});

it.each([
  [['--results', 'missing.json'], /no such file/],
  [['--results', results, '--member', 'c9'], /no probe model is called "c9"; there are c/],
  [['--seed', 'x', '--results', results], /--seed must be a whole number/],
  [['--jobs', '0', '--results', results], /--jobs must be a whole number/],
  [['--budget', 'some', '--results', results], /--budget must be a whole number/],
  [['--what'], /Unknown option/],
])('%j ends with exit code 2 and a message', (args, message) => {
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, ...args], {
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/ {4}at /);
});
