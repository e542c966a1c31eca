import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { build, ROOT } from '../helpers/built.js';
import { pullRequest } from '../helpers/pull-request.js';

beforeAll(build, 240_000);

/** The shell lines of action.yml, in order. */
function steps(): string[] {
  const text = readFileSync(join(ROOT, 'action.yml'), 'utf8');
  return [...text.matchAll(/^ {6}run: (.+)$/gm)].map((match) => match[1] ?? '');
}

interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly outputs: string;
}

/** A pull request on the demo repository that edits its config. */
async function edited(edit: (config: string) => string): Promise<string> {
  const { checkout } = await pullRequest(async (root) => {
    const path = join(root, 'model/config.json');
    await writeFile(path, edit(await readFile(path, 'utf8')));
  });
  return checkout;
}

function runAction(checkout: string, more: Record<string, string> = {}): Promise<Outcome> {
  const outputs = join(checkout, '..', 'outputs');
  writeFileSync(outputs, '');
  const env = {
    ...process.env,
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION_PATH: ROOT,
    GITHUB_WORKSPACE: checkout,
    GITHUB_OUTPUT: outputs,
    GITHUB_STEP_SUMMARY: join(checkout, '..', 'summary.md'),
    ROPE_EVAL_TOOL: join(ROOT, 'bin/rope-eval.js'),
    RUNNER_TEMP: join(checkout, '..'),
    ROPE_EVAL_BASE_REF: 'main',
    ROPE_EVAL_ARGS: '--threads\n1',
    ...more,
  };
  const script = steps().join('\n');
  return new Promise((resolve) => {
    execFile('bash', ['-c', script], { cwd: checkout, env }, (error, stdout, stderr) => {
      const code = error ? Number(error.code) : 0;
      resolve({ code, output: stdout + stderr, outputs: readFileSync(outputs, 'utf8') });
    });
  });
}

const linear = (config: string): string =>
  config.replace(/\n\}\s*$/, ',\n  "rope_scaling": {"rope_type": "linear", "factor": 4.0}\n}\n');

describe('the Action on a pull request', () => {
  it('stops an edit that breaks short context, and says what to change', async () => {
    const checkout = await edited(linear);
    const { code, output, outputs } = await runAction(checkout);
    expect(code).toBe(1);
    expect(outputs).toContain('exit-code=1');
    expect(output).toMatch(/FAIL {2}short\.lossChange <= 0\.1: found/);
    expect(output).toMatch(/model\/config\.json:\d+ \(rope_scaling\): /);
    expect(output).toMatch(/::error file=model\/config\.json,line=\d+,title=short\.lossChange/);
    expect(output).toMatch(/RE062 rope_scaling: /);
    const summary = await readFile(join(checkout, '..', 'summary.md'), 'utf8');
    expect(summary).toContain('short.lossChange');
  }, 120_000);

  it('lets an edit pass that changes nothing for RoPE', async () => {
    const edit = (config: string): string =>
      config.replace('"max_window_layers": 28', '"max_window_layers": 27');
    const { code, output } = await runAction(await edited(edit));
    expect(output).toMatch(/^PASSED/m);
    expect(code).toBe(0);
  }, 120_000);

  it('has nothing to do where no config changed', async () => {
    const { code, output, outputs } = await runAction(await edited((config) => config));
    expect(code).toBe(0);
    expect(output).not.toMatch(/^(PASSED|FAILED)/m);
    expect(outputs).toContain('exit-code=0');
  });

  it('exits with 2 where the target branch is not there', async () => {
    const checkout = await edited(linear);
    const { code, output } = await runAction(checkout, { ROPE_EVAL_BASE_REF: 'nowhere' });
    expect(code).toBe(2);
    expect(output).toMatch(/^error: --base-ref nowhere: /m);
  });
});
