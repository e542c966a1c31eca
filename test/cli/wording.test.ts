import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Report } from '../../src/report/schema/report.js';
import { bad } from '../helpers/check.js';
import { compareEncodings, makeEncodingsReport } from '../helpers/encodings.js';
import { type FakeOptions, fakeProcess, type FakeProcess, runCli } from '../helpers/environment.js';
import { judge, linear, MODEL, pullRequest, write } from '../helpers/pull-request.js';
import { makeReport } from '../helpers/report.js';
import { temporaryFolder } from '../helpers/temporary.js';

vi.mock('../../src/encodings/twins.js', async (original) => ({
  ...(await original<typeof import('../../src/encodings/twins.js')>()),
  measuredEncodings: async () => makeEncodingsReport(),
}));

const CONFIG = 'configs/Llama-2-7b-hf.json';

const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('a model without RoPE in words', () => {
  const run = (argv: readonly string[], config: object, more: FakeOptions = {}) =>
    runCli(argv, { stdin: JSON.stringify(config), compareEncodings, ...more });

  it('the finding has the encoding, the twin’s shares and RoPE’s', async () => {
    for (const argv of [['-'], ['inspect', '-']]) {
      const { code, stdout } = await run(argv, { model_type: 'bloom' });
      expect(code).toBe(0);
      expect(flat(stdout)).toContain('bloom uses ALiBi, a penalty that grows with distance');
      expect(flat(stdout)).toContain('98 % of the facts at 1x, 90 % at 2x, 80 % at 4x, 70 % at 8x');
      expect(flat(stdout)).toContain('unscaled RoPE finds 100 % of the facts at 1x, 25 % at 2x');
    }
  });

  it('a learned table ends where it ends', async () => {
    const { stdout } = await run(['-'], { model_type: 'gpt2' });
    expect(flat(stdout)).toContain(
      '97 % of the facts at 1x of that window (no entry beyond position 256)',
    );
  });

  it('a model without attention has no twin', async () => {
    const { stdout } = await run(['-'], { model_type: 'mamba' });
    expect(stdout).toContain('None of the bundled twins');
  });

  it('is refused where RoPE is needed', async () => {
    const check = await run(['check', '-'], { model_type: 'gpt2' });
    expect(check.stderr).toContain('does not use RoPE');
    const target = await run(['-', '--target', '8k'], { model_type: 'gpt2' });
    expect(target.stderr).toContain('--target has no effect on gpt2, which does not use RoPE');
  });
});

describe('a run that ends early, in words', () => {
  const reason = 'the probe engine stopped: it was killed (SIGKILL)';
  const run = async (report: Partial<Report>) =>
    runCli([resolve(CONFIG), '-o', 'r.json'], {
      cwd: await temporaryFolder(),
      evaluate: async () => makeReport(report),
    });

  it('says why, where its part is, and how to go on', async () => {
    const { stdout, stderr } = await run({ status: 'failed', unfinished: { reason, jobs: [] } });
    expect(stdout).toContain('only the finished measurements');
    expect(stderr.split('\n')).toEqual([
      `error: ${reason}; the finished part is saved to r.json`,
      '  Where memory ran out, try a smaller --samples or --target.',
      '  To go on: the same command with --resume r.json',
      '',
    ]);
  });

  it.each([
    [['--json'], 'will be printed as JSON', 'is printed on standard output'],
    [['--json', '-o', 'r.json'], 'will be saved', 'is saved to r.json'],
    [['-o', 'r.json'], 'will be saved', 'is saved to r.json'],
    [[], 'will not be saved, because no -o was given', 'is not saved (no -o was given)'],
  ])('says the same at the start and at the end of it: %j', async (argv, first, last) => {
    const fake: FakeProcess = fakeProcess([resolve(CONFIG), ...argv], {
      cwd: await temporaryFolder(),
      evaluate: async () => {
        fake.interrupt();
        return makeReport({ status: 'interrupted' });
      },
    });
    const { stderr } = await fake.run();
    expect(stderr.split('\n').slice(0, 2)).toEqual([
      `stopping; the finished part ${first} (Ctrl-C again ends at once)`,
      `interrupted; the finished part ${last}`,
    ]);
  });
});

describe('a file that is not what it should be, in words', () => {
  it.each([
    [['inspect', '/dev/zero'], 'is a device or socket, not a file'],
    [['inspect', '-'], 'standard input is too large'],
    [[CONFIG, '--resume', 'none.json'], 'none.json: no such file'],
    [['encodings', '-o', 'table.xml'], 'a comparison of position encodings has no such form'],
  ])('%j', async (argv, message) => {
    const { stderr } = await runCli(argv, { stdin: 'x'.repeat(9_000_000) });
    expect(stderr).toContain(message);
  });

  it('a complete report to resume', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'config.json'), JSON.stringify(MODEL));
    await writeFile(join(cwd, 'r.json'), JSON.stringify(makeReport()));
    const { stderr } = await runCli(['config.json', '--resume', 'r.json'], { cwd });
    expect(stderr).toContain('r.json is complete: there is nothing to resume');
  });
});

describe('arguments and options in words', () => {
  it.each([
    [
      ['check', 'a.json', 'b.json'],
      'check takes one config at a time; found 2: a.json b.json\n  For several, a loop: for c in a.json b.json; do',
    ],
    [['inspect', CONFIG, '--candidate', 'yarn:2,yarn:4'], 'one scaling is needed, found 2'],
    [['explain', 'RE0012'], 'no finding has the code RE0012\n  Did you mean RE'],
    [[CONFIG, '--policy', 'other.json'], '--policy has no effect without --optimize'],
    [[CONFIG, '--target', '1e99'], 'must be a whole number of tokens from 1 to 1099511627776'],
  ])('%j', async (argv, message) => {
    expect((await runCli(argv)).stderr).toContain(message);
  });
});

describe('a pull request in words', () => {
  it('says that there is nothing to judge', async () => {
    const demo = await pullRequest((root) => write(join(root, 'README.md'), 'x'));
    expect((await judge(demo)).stdout).toBe('no config.json changed: nothing to judge\n');
  });

  it('says what a config is compared with', async () => {
    const demo = await pullRequest(async (root) => {
      await write(join(root, 'model/config.json'), linear);
      await mkdir(join(root, 'new'));
      await write(join(root, 'new/config.json'), MODEL);
    });
    const { stdout } = await judge(demo, [], { evaluate: async () => bad });
    expect(stdout).toContain('The reference is main:model/config.json');
    expect(stdout).toContain('It is new on this branch, so it gives its own reference.');
  });

  it('says what moved where, and which files beside it changed', async () => {
    const moved = await pullRequest((root) => rename(join(root, 'model'), join(root, 'elsewhere')));
    expect((await judge(moved)).stdout).toContain('elsewhere/config.json was model/config.json');
    const beside = await pullRequest(async (root, git) => {
      git('checkout', '--quiet', 'main');
      const names = { auto_map: { AutoModel: 'modeling_x.X' } };
      await write(join(root, 'model/config.json'), { ...MODEL, ...names });
      await write(join(root, 'model/modeling_x.py'), 'before');
      git('add', '-A');
      git('commit', '--quiet', '-m', 'before');
      git('checkout', '--quiet', '-B', 'change');
      await write(join(root, 'model/modeling_x.py'), 'after');
    });
    expect((await judge(beside)).stdout).toContain(
      'RE085 auto_map: model/modeling_x.py is another file now',
    );
  });

  it('says by which policy it is judged', async () => {
    const policy = { rules: [['error', 'short.lossChange <= 90']] };
    const changes = await pullRequest((root) => write(join(root, 'rope-eval.config.json'), policy));
    expect((await judge(changes)).stdout).toContain(
      'this pull request changes rope-eval.config.json; it is judged by the one on main until that is merged',
    );
    const adds = await pullRequest(async (root, git) => {
      git('checkout', '--quiet', 'main');
      git('rm', '--quiet', 'rope-eval.config.json');
      git('commit', '--quiet', '-m', 'no policy');
      git('checkout', '--quiet', '-B', 'change');
      await write(join(root, 'rope-eval.config.json'), policy);
      await write(join(root, 'model/config.json'), linear);
    });
    const { stdout } = await judge(adds, ['--details'], { evaluate: async () => bad });
    expect(stdout).toContain(
      'rope-eval.config.json is new: this pull request is judged by the pol',
    );
    expect(stdout).toContain(', by the default policy');
  });

  it('says what is no branch, and that a policy of the checkout judges nothing', async () => {
    const demo = await pullRequest(async () => undefined);
    const ref = await runCli(['pull-request', '--base-ref=a b'], { cwd: demo.checkout });
    expect(ref.stderr).toContain('--base-ref a b: is not the name of a branch');
    const env = { GITHUB_EVENT_NAME: 'pull_request', GITHUB_WORKSPACE: demo.checkout };
    const { stderr } = await runCli(['check', 'model/config.json'], { cwd: demo.checkout, env });
    expect(stderr).toContain('this policy lies in the checkout of the pull request');
  });

  it('says that the target branch cannot be fetched', async () => {
    const { checkout: cwd } = await pullRequest(async () => undefined);
    const { stderr } = await runCli(['pull-request', '--base-ref=nowhere'], { cwd });
    expect(stderr).toContain('--base-ref nowhere: cannot be fetched from origin');
  });
});
