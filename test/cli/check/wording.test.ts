import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UNCHANGED } from '../../../src/gate/words.js';
import { configText, fixtureText } from '../../emit/input.js';
import { bad, check, CONFIG, good, LINEAR, TUNED } from '../../helpers/check.js';
import { runCli } from '../../helpers/environment.js';
import { optimize } from '../../helpers/optimize.js';
import { makeReport, short } from '../../helpers/report.js';
import { folderOf, temporaryFolder } from '../../helpers/temporary.js';

describe('the answer in words', () => {
  it('names what failed, what was found, and what to change where', async () => {
    const { stdout } = await check([], { report: bad });
    expect(stdout).toMatch(/^FAILED \(2 rules failed/);
    expect(stdout).toContain('FAIL  short.lossChange <= 0.05: found 0.66 nats');
    expect(stdout).toContain(
      'What to change\n  config.json:9 (rope_scaling): The model gets worse inside the 32,768',
    );
  });

  it('counts warnings, and says what a change costs and where to see what it buys', async () => {
    const { stdout } = await check(TUNED.args, TUNED);
    const [verdict, effect, further] = stdout.split('\n');
    expect(verdict).toMatch(/^PASSED \(1 warning, /);
    expect(effect).toContain('costs +0.03 nats (+3 % perplexity) and −1.0 pts of facts');
    expect(further).toBe(`How far it reaches: ${TUNED.further}`);
  });

  it('names what no probe measures in place of what the tables cost', async () => {
    const files = { 'config.json': { ...CONFIG, num_attention_heads: 14 }, 'old.json': CONFIG };
    const { code, stdout } = await check(['--base', 'old.json'], { report: good, files });
    expect(code).toBe(1);
    expect(stdout.split('\n')[1]).toBe('What failed is something that the probes cannot measure.');
  });

  it('names the base, and what the change left alone', async () => {
    const files = { 'base.json': { ...LINEAR, vocab_size: 7 } };
    const { stdout } = await check(['--base', 'base.json'], { files, report: bad });
    expect(stdout).toContain('The reference is base.json');
    expect(stdout).toContain(`: ${UNCHANGED}`);
  });

  it('names the policy', async () => {
    const files = { 'package.json': { 'rope-eval': { rules: [['error', 'reach >= 2x']] } } };
    expect((await check([], { files })).stdout).toContain('by package.json (key rope-eval)');
  });

  it('says of a dynamic scaling that it holds where keys are recomputed, in any preset', async () => {
    const [reference, own] = good.candidates;
    const groups = own!.groups.map((group) => ({ ...group, ropeType: 'dynamic', changed: true }));
    const report = { ...good, candidates: [reference!, { ...own!, groups }] };
    const { stdout } = await check(['--preset', 'quick'], { report });
    expect(stdout).toContain('as-configured: That holds where all keys are recomputed');
    expect((await check([])).stdout).not.toContain('recomputed');
  });

  it('says how a fine-tune that was trained with its scaling is judged', async () => {
    const files = { 'old.json': CONFIG };
    const { stdout } = await check(['--base', 'old.json'], { report: bad, files });
    expect(stdout).toContain('If the weights were trained with it: rope-eval check config.json');
  });

  it('says that the runtime broke off', async () => {
    const reason = 'the probe engine stopped: it was killed (SIGKILL)';
    const report = makeReport({ status: 'failed', unfinished: { reason, jobs: [] } });
    const { stdout, stderr } = await check([], { report });
    expect(stdout).toMatch(/^RUNTIME FAILED before the end/);
    expect(stderr).toMatch(/^error: the probe engine stopped: it was killed \(SIGKILL\); the fin/);
  });
});

describe('the details in words', () => {
  it('say of every rule what was expected and found', async () => {
    const { stdout } = await check(['--details'], { report: bad });
    expect(stdout).toMatch(
      /FAIL {2}short\.lossChange <= 0\.05 for as-configured\n +expected <= 0\.05/,
    );
  });

  it('say whose nats a short cost is in, and what real models lose', async () => {
    const linear = good.candidates.map((each) => ({
      ...each,
      groups: each.groups.map((group) => ({ ...group, ropeType: 'linear' })),
      short: each.role === 'reference' ? each.short : short(0, 0.3),
    }));
    const { stdout } = await check(['--details'], { report: { ...good, candidates: linear } });
    expect(stdout).toMatch(/about those of a model of 7 B; one of 0\.1 B pays/);
    expect(stdout).toMatch(/as-configured: 0\.34 to 3\.32 on models of 7 B to 0\.1 B, in nats/);
    const only = await check(['--rule', 'needle@target >= 0.8'], {
      files: { 'rope-eval.config.json': { rules: [['error', 'needle@target >= 0.8']] } },
    });
    expect(only.stdout).not.toMatch(/about those of a model/);
  });

  it('say which probe model stood in, and whether it can', async () => {
    const { stdout } = await check(['--details']);
    expect(stdout).toContain(`Probe model ${good.subject.name}: critical fraction`);
    expect(stdout).not.toContain('outside the range');
    const report = { ...good, subject: { ...good.subject, inRange: false } };
    expect((await check([], { report })).stdout).toContain('outside the range');
  });
});

describe('a baseline in words', () => {
  it('names the cell that got worse, and on GitHub what is gone', async () => {
    const files = { 'main.json': good };
    const baseline = ['--baseline', 'main.json'];
    const worse = await check(baseline, { files, report: bad });
    expect(worse.stdout).toContain('FAIL  as-configured short.lossChange: 0.004 before, 0.66 now');
    const report = makeReport({
      candidates: good.candidates.map((each) => ({ ...each, reach: null, needle: [] })),
    });
    const gone = await check(baseline, { files, report, env: { GITHUB_ACTIONS: 'true' } });
    expect(gone.stdout).toMatch(
      /as-configured was not measured::main\.json has needle@32768, .* and reach of as-configured/,
    );
  });

  it('says what differs where it is not comparable', async () => {
    const other = makeReport({ ...good, settings: { ...good.settings, seed: 9 } });
    const files = { 'main.json': other };
    const { stderr } = await check(['--baseline', 'main.json'], { files });
    expect(stderr).toContain('--seed: 9 there, 0 here');
  });
});

describe('a length that is too long, in words', () => {
  it.each([
    ['--rule', 'needle@40x >= 0.5', "the rule 'needle@40x >= 0.5' asks about 1310720 tokens"],
    ['--warn', 'reach >= 2048k', "the rule 'reach >= 2097152' asks about 2097152 tokens"],
    ['--target', '2000000', '--target: 2000000 tokens'],
  ])('%s %s', async (flag, text, message) => {
    const { stderr } = await check([flag, text]);
    expect(stderr).toContain(`${message}, more than 32 times the trained window of 32768`);
  });

  it('of the policy', async () => {
    const files = { 'rope-eval.config.json': { target: 2_000_000 } };
    const { stderr } = await check([], { files });
    expect(stderr).toContain('rope-eval.config.json: target: 2000000 tokens');
  });

  it('of the config', async () => {
    const config = { ...CONFIG, rope_scaling: { rope_type: 'linear', factor: 40 } };
    const { stderr } = await check([], { files: { 'config.json': config } });
    expect(stderr).toContain('rope_scaling: the config claims 1310720 tokens, more than 32 times');
    expect(stderr).toContain('Judge it at a shorter length with --target, up to 1048576');
    expect(stderr).not.toContain('the target');
  });
});

it.each([
  ['RE062', "'RE062' is not a severity"],
  ['RE062=loud', 'is not a severity'],
  ['RE999=error', 'no finding has the code RE999'],
])('says why --severity %s is refused', async (text, message) => {
  expect((await check(['--severity', text])).stderr).toContain(message);
});

const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('a search in words', () => {
  it('names the smallest factor that passes, and a setting for each length', async () => {
    const { stdout } = await optimize(['--target', '128k'], 0.01);
    expect(stdout).toContain('Use yarn:4: the smallest factor that passes the default policy');
    expect(stdout).toContain('32k: none; 64k: yarn:2; 128k: yarn:4');
    expect(stdout).not.toContain('recomputed');
    const other = await optimize(['--target', '128k', '--policy', 'other.json'], 0.4);
    expect(other.stdout).toContain('passes other.json at 131,072 tokens');
  });

  it('says that a dynamic scaling holds where keys are recomputed, and what else passes', async () => {
    const losses = { dynamic: 0, yarn: 0.01, ntk: 0.4, linear: 0.4 };
    const { stdout } = await optimize(['--target', '128k'], losses);
    expect(stdout).toContain('Use dynamic:4: the smallest factor');
    expect(flat(stdout)).toMatch(
      /keys are recomputed at each length.* one table for all lengths, yarn:4 passes first\./,
    );
  });

  it('says that nothing passes', async () => {
    const { stdout } = await optimize(['--target', '128k'], 0.4);
    expect(stdout).toContain('Nothing passes the default policy at 131,072 tokens');
  });

  it.each([
    [[], 'needs a length'],
    [['--target', '128k', '--candidates', 'yarn:4'], 'chooses the candidates itself'],
    [['--target', '128k', '--factor', '4'], 'looks for the factor itself'],
  ])('says what it cannot take: %j', async (args, message) => {
    expect((await optimize(args, 0)).stderr).toContain(message);
  });

  it('says that there is nothing to look for', async () => {
    const stdin = fixtureText('Mistral-7B-v0.1');
    const { stderr } = await runCli(['-', '--optimize', '--target', '64k'], { stdin });
    expect(stderr).toMatch(/no layer of mistral.*no scaling helps/s);
  });
});

describe('compare in words', () => {
  async function compare(after: unknown, before: unknown = makeReport()) {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.json'), JSON.stringify(before));
    await writeFile(join(cwd, 'b.json'), JSON.stringify(after));
    const { stdout, stderr } = await runCli(['compare', 'a.json', 'b.json'], { cwd });
    return stderr + flat(stdout);
  }

  it('says that both runs are unfinished', async () => {
    const unfinished = makeReport({ status: 'interrupted' });
    expect(await compare(unfinished, unfinished)).toContain(
      'both are interrupted; only what they finished is compared\n',
    );
  });

  it('says that the runs differ, and how they are compared then', async () => {
    const settings = { ...makeReport().settings, seed: 2 };
    const stdout = await compare(makeReport({ settings }));
    expect(stdout).toContain('so that cells are not paired; lengths are compared as multiples of');
  });

  it('says that nothing changed', async () => {
    expect(await compare(makeReport())).toMatch(/All \d+ cells are the same\./);
  });
});

describe('a sweep in words', () => {
  const sweep = ['sweep', 'configs/**/config.json'];

  it('counts what was evaluated, and names what is missing in a part', async () => {
    const llama = configText('Llama-2-7b-hf');
    const cwd = await folderOf({ a: llama, b: llama, c: llama, broken: '{' });
    const all = await runCli([...sweep, '-o', 'all.json'], { cwd });
    expect(all.stderr).toContain('3 evaluated, 1 could not be');
    await runCli([...sweep, '--shard', '1/2', '-o', '1.json'], { cwd });
    const { stderr } = await runCli(['merge', '1.json'], { cwd });
    expect(stderr).toContain('error: incomplete: shard 2/2 is missing');
  });

  it('names a pattern that finds nothing, and a form that it is not written in', async () => {
    const cwd = await temporaryFolder();
    const none = await runCli(['sweep', 'b/*.json', '-o', 'x.json'], { cwd });
    expect(none.stderr).toContain('no config found: b/*.json');
    const form = await runCli(['sweep', 'b/*.json', '-o', 'x.md'], { cwd });
    expect(form.stderr).toContain('-o x.md: a sweep is written as JSON');
  });
});
