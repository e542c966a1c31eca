import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/model/read-model.js';
import type { Report } from '../../../src/report/schema/report.js';
import { bad, check, checked, CONFIG, good, LINEAR, resultOf, TUNED } from '../../helpers/check.js';
import { errorAt, optionsIn } from '../../helpers/errors.js';
import { makeReport, short } from '../../helpers/report.js';
import { temporaryFolder } from '../../helpers/temporary.js';

describe('rope-eval check', () => {
  it('passes what is good, and says so last', async () => {
    const { code, stdout } = await check([]);
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^PASSED/);
  });

  it('evaluates what the config says, at the length that it claims', async () => {
    const { calls } = await check([]);
    expect(calls[0]?.options).toMatchObject({
      target: 131_072,
      candidates: [{ label: 'as-configured' }],
    });
  });

  it('asks the user’s own weights where they are given, and says so in the commands to try', async () => {
    const folder = ['--model', 'onnx', '--model-file', 'q4.onnx', '--text', 'notes.txt'];
    const own = [...folder, '--memory', '4'];
    const files = { 'notes.txt': 'A text.', 'onnx/q4.onnx': {} };
    const { calls, cwd, stdout } = await check(own, { files, report: bad });
    expect(calls[0]!.options.model).toEqual({
      path: join(cwd, 'onnx'),
      file: 'q4.onnx',
      argument: '--model onnx --model-file q4.onnx --text notes.txt --memory 4',
      texts: ['A text.'],
      memory: 4096,
    });
    expect(stdout.split(/\s+/).join(' ')).toContain(own.join(' '));
    expect((await check(['--text', 'notes.txt'], { files })).code).toBe(2);
    expect((await check(['--memory', '4'], { files })).code).toBe(2);
    expect((await check([...folder, '--memory', '0'], { files })).code).toBe(2);
  });

  it('fails with what was found, and names the line to change', async () => {
    const ran = await check(['--json'], { report: bad });
    expect(ran.code).toBe(1);
    const { status, rules } = resultOf(ran);
    expect(status).toBe('failed');
    expect(rules.filter(({ outcome }) => outcome === 'fail')).toMatchObject([
      { metric: 'short.accuracyChange' },
      { metric: 'short.lossChange', threshold: 0.05, found: short(-0.4, 0.66).lossChange },
    ]);
    // Line of rope_scaling in the file.
    expect((await check([], { report: bad })).stdout).toContain('config.json:9 (rope_scaling): ');
  });

  it.each([40, 70, 100])('breaks its lines between words, at %d columns', async (columns) => {
    const files = { 'old.json': CONFIG };
    const args = ['--base', 'old.json', '--rule', 'needle@512k >= 0.8', '--severity', 'RE062=warn'];
    const [narrow, wide] = [
      await check(args, { report: bad, files, columns }),
      await check(args, { report: bad, files, columns: 1000 }),
    ];
    for (const line of narrow.stdout.split('\n')) {
      const unbroken = line.trim().split(' ').length === 1 || /^ *rope-eval /.test(line);
      if (!unbroken) expect(line.length, line).toBeLessThanOrEqual(columns);
    }
    const words = (text: string) => text.split(/\s+/).join(' ');
    expect(words(narrow.stdout)).toBe(words(wide.stdout));
    expect(narrow.stdout).toContain('config.json:9 (rope_scaling): ');
  });

  it('is JSON alone with --json, and agrees with the exit code', async () => {
    const ran = await check(['--json'], { report: bad });
    expect(resultOf(ran)).toMatchObject({ status: 'failed', exitCode: ran.code });
  });

  it('has a JSON form for errors', async () => {
    const { code, stdout } = await check(['--json', '--rule', 'speed >= 1']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'error',
      exitCode: 2,
      kind: 'unknown_metric',
    });
  });

  it('exits with 2 on a model without RoPE', async () => {
    const { code, error, calls } = await check([], {
      files: { 'config.json': { model_type: 'gpt2' } },
    });
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(error).toEqual(errorAt('not_rope'));
  });

  it('reads the policy of the working directory', async () => {
    const files = {
      'rope-eval.config.json': { rules: [['error', 'reach >= 8x']], preset: 'thorough' },
    };
    const { code, stdout, calls } = await check(['--json'], { files });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ policy: 'rope-eval.config.json' });
    // A rule about a longer context makes the run measure that length.
    expect(calls[0]?.options).toMatchObject({ preset: 'thorough', target: 262_144 });
  });

  it('reads the key of package.json', async () => {
    const files = { 'package.json': { 'rope-eval': { rules: [['error', 'reach >= 2x']] } } };
    expect((await checked([], { files })).policy).toBe('package.json (key rope-eval)');
  });

  it('reads a file whose name only ends so as a policy', async () => {
    const files = { 'rope-package.json': { rules: [['error', 'reach >= 2x']] } };
    const { policy } = await checked(['--policy', 'rope-package.json'], { files });
    expect(policy).toBe('rope-package.json');
  });

  it('lets flags win over the policy', async () => {
    const files = { 'rope-eval.config.json': { rules: [['error', 'reach >= 8x']], seed: 3 } };
    const { code, calls } = await check(['--rule', 'reach >= 2x', '--seed', '5'], { files });
    expect(code).toBe(0);
    expect(calls[0]?.options.seed).toBe(5);
  });

  it('takes the reference from the config before the change, and reports the change', async () => {
    const files = { 'old.json': CONFIG };
    const ran = await check(['--base', 'old.json', '--json'], { files });
    expect(ran.calls[0]?.options).toMatchObject({
      base: readConfig(JSON.stringify(CONFIG, null, 2)),
    });
    const { base, findings } = resultOf(ran);
    expect(base).toBe('old.json');
    const args = { was: 'none', found: 'linear factor=4' };
    expect(findings).toMatchObject([{ code: 'RE062', path: 'rope_scaling', args }]);
  });

  it('exits with 130 and passes nothing where the run was interrupted', async () => {
    const { code, stdout } = await check([], {
      report: makeReport({ ...good, status: 'interrupted' }),
    });
    expect(code).toBe(130);
    expect(stdout).toMatch(/INTERRUPTED/);
  });
});

describe('a baseline', () => {
  it('is written by --update-baseline, and then compared with', async () => {
    const first = await check(['--baseline', 'main.json', '--update-baseline']);
    const saved = await readFile(join(first.cwd, 'main.json'), 'utf8');
    expect(first.code).toBe(0);
    const files = { 'main.json': saved };
    expect((await check(['--baseline', 'main.json'], { files })).code).toBe(0);
    const worse = await check(
      [
        '--baseline',
        'main.json',
        '--rule',
        'short.accuracyChange >= -1',
        '--rule',
        'short.lossChange <= 9',
        '--json',
      ],
      { files, report: bad },
    );
    expect(worse.code).toBe(1);
    expect(resultOf(worse).baseline?.cells).toContainEqual(
      expect.objectContaining({
        candidate: 'as-configured',
        cell: 'short.lossChange',
        before: short(0, 0.004).lossChange,
        after: short(-0.4, 0.66).lossChange,
        outcome: 'regressed',
      }),
    );
  });

  it('that is not comparable exits with 3 and says what differs', async () => {
    const other = makeReport({ ...good, settings: { ...good.settings, seed: 9 } });
    const { code, error } = await check(['--baseline', 'main.json'], {
      files: { 'main.json': other },
    });
    expect(code).toBe(3);
    expect(error).toEqual(errorAt('not_comparable', { file: 'main.json' }));
    expect(optionsIn(error)[0]).toBe('seed');
  });

  it('that does not exist exits with 2 before the probes run', async () => {
    const { code, calls } = await check(['--baseline', 'main.json']);
    expect(code).toBe(2);
    expect(calls).toEqual([]);
  });

  it('of an interrupted run is not written', async () => {
    const report = makeReport({ ...good, status: 'interrupted' });
    const { cwd } = await check(['--baseline', 'main.json', '--update-baseline'], { report });
    await expect(readFile(join(cwd, 'main.json'))).rejects.toThrow(/ENOENT/);
  });
});

describe('on GitHub', () => {
  const env = { GITHUB_ACTIONS: 'true' };

  it('annotates the line of the key that is to blame', async () => {
    const { stdout } = await check([], { report: bad, env });
    expect(stdout).toMatch(/^::error file=config\.json,line=9,title=short\.lossChange/m);
  });

  it('says the verdict first, then what to change, as the text does', async () => {
    const { stdout } = await check([], { report: bad, env });
    const lines = stdout.split('\n');
    const annotations = lines.filter((line) => line.startsWith('::'));
    expect(annotations[0]).toBe(`::error title=rope-eval::${lines[0]}`);
    const advice = lines.find((line) => line.includes('config.json:9 '))!.trim();
    expect(annotations.some((line) => line.includes(`::${advice}%0A`))).toBe(true);
    const passed = await check([], { env });
    expect(passed.stdout).not.toContain('::error');
  });

  it('annotates what the baseline has and this run has not, once a candidate', async () => {
    const report = makeReport({
      candidates: good.candidates.map((each) => ({ ...each, reach: null, needle: [] })),
    });
    const files = { 'main.json': good };
    const { code, stdout } = await check(['--baseline', 'main.json'], { report, files, env });
    expect(code).toBe(1);
    const missing = stdout.split('\n').filter((line) => line.includes('was not measured::'));
    expect(missing).toHaveLength(1);
    expect(missing[0]).toMatch(/^::error file=config\.json,line=1,title=as-configured/);
    const names = good.candidates[1]!.needle.map(({ tokens }) => `needle@${tokens}`);
    for (const cell of [...names, 'reach']) expect(missing[0]).toContain(cell);
  });

  it('writes a step summary', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'summary.md');
    await check([], { report: bad, env: { ...env, GITHUB_STEP_SUMMARY: file } });
    expect(await readFile(file, 'utf8')).toContain('short.lossChange');
  });

  it('keeps standard output to JSON with --json', async () => {
    const { stdout, stderr } = await check(['--json'], { report: bad, env });
    expect(() => JSON.parse(stdout) as unknown).not.toThrow();
    expect(stderr).toContain('::error file=config.json');
  });
});

describe('the lengths that are looked at', () => {
  const policy = (value: object) => ({ files: { 'rope-eval.config.json': value } });

  it('are not those of rules that are off', async () => {
    const rules = [
      ['off', 'needle@40x >= 0.5'],
      ['error', 'needle@2x >= 0.5'],
    ];
    const { code, calls } = await check(['--target', '32768'], policy({ rules }));
    expect(code).toBe(0);
    expect(calls[0]?.options).toMatchObject({ target: 65_536, lengths: [65_536] });
  });

  it.each([
    ['--rule', 'needle@40x >= 0.5', {}],
    ['--warn', 'reach >= 2048k', {}],
    ['--target', '2000000', { option: 'target' }],
  ])('are at most 32 windows: %s %s', async (flag, text, place) => {
    const { code, error, calls } = await check([flag, text]);
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(error).toEqual(errorAt('target_too_long', place));
  });

  it('name the policy that asks for more', async () => {
    const { code, error } = await check([], policy({ target: 2_000_000 }));
    expect(code).toBe(2);
    const place = { file: 'rope-eval.config.json', path: 'target' };
    expect(error).toEqual(errorAt('target_too_long', place));
  });

  it.each([
    [{ ...CONFIG, rope_scaling: { rope_type: 'linear', factor: 40 } }, 'rope_scaling'],
    [
      {
        ...CONFIG,
        max_position_embeddings: 2_000_000,
        rope_scaling: {
          rope_type: 'yarn',
          factor: 4,
          original_max_position_embeddings: 32768,
        },
      },
      'max_position_embeddings',
    ],
  ])('name the key that claims more', async (config, path) => {
    const { code, error } = await check([], { files: { 'config.json': config } });
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('target_too_long', { path }));
    expect(optionsIn(error)).toContain('target');
  });
});

describe('--severity', () => {
  const base = ['--base', 'base.json'];
  const files = { 'base.json': CONFIG };

  it('says what a finding counts as, and wins over the policy', async () => {
    expect((await check(base, { files })).code).toBe(0);
    const { code, stdout } = await check([...base, '--severity', 'RE062=error'], { files });
    expect(code).toBe(1);
    expect(stdout).toMatch(/error {2}RE062/);
    const off = await check([...base, '--severity', 'RE062=off'], { files });
    expect(off.stdout).not.toContain('RE062');
  });

  it.each(['RE062', 'RE062=loud', 'RE999=error'])('refuses %s', async (text) => {
    const { code, error, calls } = await check(['--severity', text]);
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(error).toEqual(errorAt('bad_severity', { option: 'severity' }));
    expect(String(error)).toContain(text.split('=')[0]);
  });
});

describe('--base with the same scaling in both', () => {
  it('calls options as the command line does, in its text and in its files', async () => {
    const { code, stdout, cwd } = await check(['-o', 'gate.md', '--details'], {
      files: { 'config.json': { ...CONFIG, rope_scaling: { rope_type: 'linear', factor: 4 } } },
      report: bad,
    });
    expect(code).toBe(1);
    for (const text of [stdout, await readFile(join(cwd, 'gate.md'), 'utf8')]) {
      expect(text).toContain('(--reference)');
      expect(text).toContain('(--base)');
    }
  });

  it('passes what the change left alone, and says so', async () => {
    const files = { 'base.json': { ...LINEAR, vocab_size: 7 } };
    const ran = await check(['--base', 'base.json', '--json'], { files, report: bad });
    expect(ran.code).toBe(0);
    const short = resultOf(ran).rules.filter(({ metric }) => metric.startsWith('short.'));
    expect(short.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['pass', 'unchanged'],
      ['pass', 'unchanged'],
    ]);
    expect((await check([], { report: bad })).code).toBe(1);
  });

  it('judges distances where the claimed length is another', async () => {
    const files = { 'base.json': { ...LINEAR, max_position_embeddings: 16384 } };
    const { code } = await check(['--base', 'base.json', '--rule', 'reach >= 8x'], { files });
    expect(code).toBe(1);
  });
});

it('gives no advice on a config where the runtime broke off', async () => {
  const reason = 'the probe engine stopped: it was killed (SIGKILL)';
  const report: Report = { ...bad, status: 'failed', unfinished: { reason, jobs: [] } };
  const env = { GITHUB_ACTIONS: 'true' };
  const { code, stdout, stderr } = await check([], { report, env });
  expect(code).toBe(3);
  expect(stdout).not.toContain('config.json:9');
  expect(stdout.match(/^::/gm)).toHaveLength(1);
  expect(stdout).toMatch(/^::error title=rope-eval::RUNTIME FAILED/m);
  expect(stderr).toContain(`error: ${reason}`);
});

describe('the answer of check', () => {
  const linesOf = (text: string): number =>
    text
      .trimEnd()
      .split('\n')
      .reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 80)), 0);

  it.each([
    ['a scaling', LINEAR],
    ['a scaling and the window', { ...LINEAR, max_position_embeddings: 131_072 }],
    ['theta', { ...CONFIG, rope_theta: 5e6 }],
    ['a scaling that names no window', { ...CONFIG, rope_scaling: { type: 'linear', factor: 4 } }],
    [
      'many keys',
      { ...LINEAR, ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`key_${i}`, i])) },
    ],
  ])('takes one screen of 24 lines and 80 columns: %s', async (_, config) => {
    const files = { 'config.json': config, 'old.json': CONFIG };
    const report = { ...bad, config: { ...bad.config, source: 'config.json' } };
    const rules = ['--rule', 'needle@64k >= 0.9', '--rule', 'short.copyLossChange <= 0.01'];
    for (const args of [[], ['--base', 'old.json'], ['--base', 'old.json', ...rules]]) {
      const { code, stdout } = await check(args, { report, files, columns: 80 });
      expect(code).toBe(1);
      // One line is the prompt's.
      expect(linesOf(stdout), stdout).toBeLessThanOrEqual(23);
    }
  });

  it('tells a fine-tune that was trained with its scaling how to be judged', async () => {
    const files = { 'old.json': CONFIG };
    const { stdout } = await check(['--base', 'old.json'], { report: bad, files });
    const command = 'rope-eval check config.json --reference configured';
    expect(stdout).toContain(command);
    const own = await check(['--reference', 'configured'], { report: good });
    expect(own.calls[0]?.options).toMatchObject({ reference: 'configured', target: 32_768 });
  });

  it('refuses to read a base without a scaling as trained with one', async () => {
    const files = { 'old.json': CONFIG };
    const { code, error, calls } = await check(
      ['--base', 'old.json', '--reference', 'configured'],
      { files },
    );
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(error).toEqual(errorAt('no_effect', { option: 'reference', value: 'configured' }));
    expect(optionsIn(error)).toContain('base');
    // A policy is for many models: there both readings of an unscaled one are the same.
    const policy = { 'rope-eval.config.json': { reference: 'configured' }, ...files };
    expect((await check(['--base', 'old.json'], { files: policy })).code).toBe(0);
  });

  it('counts a changed theta that passes, and says where to see what it buys', async () => {
    const ran = await check([...TUNED.args, '--json'], TUNED);
    expect(ran.code).toBe(0);
    const args = { was: 1e6, found: 1.1e6 };
    expect(resultOf(ran).findings).toMatchObject([
      { code: 'RE060', level: 'warn', path: 'rope_theta', args },
    ]);
    expect((await check(TUNED.args, TUNED)).stdout).toContain(TUNED.further);
  });

  it('refuses --details beside --json', async () => {
    expect((await check(['--details', '--json'])).code).toBe(2);
  });
});
