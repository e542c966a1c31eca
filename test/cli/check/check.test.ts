import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckSchema } from '../../../src/gate/judge.js';
import { readConfig } from '../../../src/model/read-model.js';
import type { Report } from '../../../src/report/schema/report.js';
import { type FakeOptions, type Ran, runCli } from '../../helpers/environment.js';
import { candidate, makeReport, short } from '../../helpers/report.js';
import { temporaryFolder } from '../../helpers/temporary.js';

const CONFIG = {
  model_type: 'qwen2',
  hidden_size: 3584,
  num_attention_heads: 28,
  num_key_value_heads: 4,
  num_hidden_layers: 28,
  max_position_embeddings: 32768,
  rope_theta: 1000000,
};
const LINEAR = {
  ...CONFIG,
  rope_scaling: { rope_type: 'linear', factor: 4, original_max_position_embeddings: 32768 },
};

const good = makeReport({
  candidates: [
    candidate('none', 'reference', 1, short(0, 0)),
    candidate('as-configured', 'reaches', 4, short(0, 0.004)),
  ],
});
const bad = makeReport({
  candidates: [
    candidate('none', 'reference', 1, short(0, 0)),
    candidate('as-configured', 'fails-short', 4, short(-0.4, 0.66)),
  ],
});

interface Setting extends FakeOptions {
  readonly files?: Record<string, unknown>;
  readonly report?: Report;
}

async function check(
  args: readonly string[],
  setting: Setting = {},
): Promise<Ran & { cwd: string }> {
  const cwd = await temporaryFolder();
  const files = { 'config.json': LINEAR, ...setting.files };
  for (const [name, value] of Object.entries(files)) {
    await mkdir(join(cwd, name, '..'), { recursive: true });
    await writeFile(
      join(cwd, name),
      typeof value === 'string' ? value : JSON.stringify(value, null, 2),
    );
  }
  const evaluate = async () => setting.report ?? good;
  // The terminal is wide, because this is about the words and not about where lines break.
  const fake = { cwd, evaluate, columns: 400, ...setting };
  const ran = await runCli(['check', 'config.json', ...args], fake);
  return { ...ran, cwd };
}

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

  it('says whose nats a short cost is in, and what real models lose', async () => {
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

  it('says which probe model stood in, and whether it can', async () => {
    const { stdout } = await check(['--details']);
    expect(stdout).toContain(`Probe model ${good.subject.name}: critical fraction`);
    expect(stdout).not.toContain('outside the range');
    const report = { ...good, subject: { ...good.subject, inRange: false } };
    expect((await check([], { report })).stdout).toContain('outside the range');
  });

  it('says of a dynamic scaling that it holds where keys are recomputed, in any preset', async () => {
    const [reference, own] = good.candidates;
    const groups = own!.groups.map((group) => ({ ...group, ropeType: 'dynamic', changed: true }));
    const report = { ...good, candidates: [reference!, { ...own!, groups }] };
    const { stdout } = await check(['--preset', 'quick'], { report });
    expect(stdout).toContain('as-configured: That holds where all keys are recomputed');
    expect((await check([])).stdout).not.toContain('recomputed');
  });

  it('fails with what was expected, what was found, and what to change where', async () => {
    const { code, stdout } = await check([], { report: bad });
    expect(code).toBe(1);
    expect(stdout).toContain('FAIL  short.lossChange <= 0.05: found 0.66 nats (0.654 to 0.666)');
    const details = (await check(['--details'], { report: bad })).stdout;
    expect(details).toContain('FAIL  short.lossChange <= 0.05 for as-configured');
    expect(details).toContain(
      'expected <= 0.05 nats, found 0.66 nats, 95 % interval 0.654 to 0.666',
    );
    // Line of rope_scaling in the file.
    expect(stdout).toContain(
      'config.json:9 (rope_scaling): The model gets worse inside the 32,768',
    );
    expect(stdout.split('\n')[0]).toMatch(/^FAILED \(2 rules failed/);
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
    expect(narrow.stdout).toContain('What to change');
  });

  it('is JSON alone with --json, and agrees with the exit code', async () => {
    const { code, stdout } = await check(['--json'], { report: bad });
    const output = CheckSchema.parse(JSON.parse(stdout));
    expect(output).toMatchObject({ status: 'failed', exitCode: code });
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
    const { code, stderr, calls } = await check([], {
      files: { 'config.json': { model_type: 'gpt2' } },
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/does not use RoPE/);
    expect(calls).toEqual([]);
  });

  it('reads the policy of the working directory', async () => {
    const files = {
      'rope-eval.config.json': { rules: [['error', 'reach >= 8x']], preset: 'thorough' },
    };
    const { code, stdout, calls } = await check([], { files });
    expect(code).toBe(1);
    expect(stdout).toContain('by rope-eval.config.json');
    // A rule about a longer context makes the run measure that length.
    expect(calls[0]?.options).toMatchObject({ preset: 'thorough', target: 262_144 });
  });

  it('reads the key of package.json', async () => {
    const files = { 'package.json': { 'rope-eval': { rules: [['error', 'reach >= 2x']] } } };
    expect((await check([], { files })).stdout).toContain('by package.json (key rope-eval)');
  });

  it('lets flags win over the policy', async () => {
    const files = { 'rope-eval.config.json': { rules: [['error', 'reach >= 8x']], seed: 3 } };
    const { code, calls } = await check(['--rule', 'reach >= 2x', '--seed', '5'], { files });
    expect(code).toBe(0);
    expect(calls[0]?.options.seed).toBe(5);
  });

  it('takes the reference from the config before the change, and reports the change', async () => {
    const { stdout, calls } = await check(['--base', 'old.json'], {
      files: { 'old.json': CONFIG },
    });
    expect(calls[0]?.options).toMatchObject({ base: readConfig(JSON.stringify(CONFIG, null, 2)) });
    expect(stdout).toContain('RE062 rope_scaling: the scaling was none and is now linear factor=4');
    expect(stdout).toContain('The reference is old.json');
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
      ],
      { files, report: bad },
    );
    expect(worse.code).toBe(1);
    expect(worse.stdout).toContain('FAIL  as-configured short.lossChange: 0.004 before, 0.66 now');
  });

  it('that is not comparable exits with 3 and says what differs', async () => {
    const other = makeReport({ ...good, settings: { ...good.settings, seed: 9 } });
    const { code, stderr } = await check(['--baseline', 'main.json'], {
      files: { 'main.json': other },
    });
    expect(code).toBe(3);
    expect(stderr).toContain('seed: 9 there, 0 here');
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
    const advice = lines[lines.indexOf('What to change') + 1]!.trim();
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
    expect(missing[0]).toMatch(/main\.json has needle@32768, .* and reach of as-configured/);
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
    ['--rule', 'needle@40x >= 0.5', "the rule 'needle@40x >= 0.5' asks about 1310720 tokens"],
    ['--warn', 'reach >= 2048k', "the rule 'reach >= 2097152' asks about 2097152 tokens"],
    ['--target', '2000000', '--target: 2000000 tokens'],
  ])('are at most 32 windows: %s %s', async (flag, text, message) => {
    const { code, stderr, calls } = await check([flag, text]);
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(stderr).toContain(`${message}, more than 32 times the trained window of 32768`);
  });

  it('name the policy that asks for more', async () => {
    const { code, stderr } = await check([], policy({ target: 2_000_000 }));
    expect(code).toBe(2);
    expect(stderr).toContain('rope-eval.config.json: target: 2000000 tokens');
  });

  it.each([
    [{ ...CONFIG, rope_scaling: { rope_type: 'linear', factor: 40 } }, 'rope_scaling', 1_310_720],
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
      2_000_000,
    ],
  ])('name the key that claims more', async (config, key, tokens) => {
    const { code, stderr } = await check([], { files: { 'config.json': config } });
    expect(code).toBe(2);
    expect(stderr).toContain(`${key}: the config claims ${tokens} tokens, more than 32 times`);
    expect(stderr).toContain('Judge it at a shorter length with --target, up to 1048576');
    expect(stderr).not.toContain('the target');
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

  it.each([
    ['RE062', /'RE062' is not a severity/],
    ['RE062=loud', /is not a severity/],
    ['RE999=error', /no finding has the code RE999/],
  ])('refuses %s', async (text, message) => {
    const { code, stderr, calls } = await check(['--severity', text]);
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(stderr).toMatch(message);
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
      expect(text).toContain('say which (--reference)');
      expect(text).toContain('before the change (--base)');
    }
  });

  it('passes what the change left alone, and says so', async () => {
    const files = { 'base.json': { ...LINEAR, vocab_size: 7 } };
    const { code, stdout } = await check(['--base', 'base.json'], { files, report: bad });
    expect(stdout).toContain('as in the base config, which the change leaves alone here');
    expect(code).toBe(0);
    expect((await check([], { report: bad })).code).toBe(1);
  });

  it('judges distances where the claimed length is another', async () => {
    const files = { 'base.json': { ...LINEAR, max_position_embeddings: 16384 } };
    const { code } = await check(['--base', 'base.json', '--rule', 'reach >= 8x'], { files });
    expect(code).toBe(1);
  });
});

it('gives no advice on a config where the runtime broke off', async () => {
  const report = makeReport({
    status: 'failed',
    unfinished: { reason: 'the probe engine stopped: it was killed (SIGKILL)', jobs: [] },
  });
  const env = { GITHUB_ACTIONS: 'true' };
  const { code, stdout, stderr } = await check([], { report, env });
  expect(code).toBe(3);
  expect(stdout).not.toContain('What to change');
  expect(stdout.match(/^::/gm)).toHaveLength(1);
  expect(stdout).toMatch(/^::error title=rope-eval::RUNTIME FAILED/m);
  expect(stderr).toContain('error: the probe engine stopped: it was killed (SIGKILL)');
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
    expect(stdout).toContain(`If the weights were trained with it: ${command}`);
    const own = await check(['--reference', 'configured'], { report: good });
    expect(own.calls[0]?.options).toMatchObject({ reference: 'configured', target: 32_768 });
  });

  it('names what no probe measures in place of what the tables cost', async () => {
    const files = { 'config.json': { ...CONFIG, num_attention_heads: 14 }, 'old.json': CONFIG };
    const { code, stdout } = await check(['--base', 'old.json'], { report: good, files });
    expect(code).toBe(1);
    expect(stdout.split('\n')[1]).toBe('What failed is something that the probes cannot measure.');
  });

  it('refuses to read a base without a scaling as trained with one', async () => {
    const files = { 'old.json': CONFIG };
    const { code, stderr, calls } = await check(
      ['--base', 'old.json', '--reference', 'configured'],
      { files },
    );
    expect({ code, calls }).toEqual({ code: 2, calls: [] });
    expect(stderr).toContain('--reference configured has no effect beside --base');
    // A policy is for many models: there both readings of an unscaled one are the same.
    const policy = { 'rope-eval.config.json': { reference: 'configured' }, ...files };
    expect((await check(['--base', 'old.json'], { files: policy })).code).toBe(0);
  });

  it('counts a changed theta that passes, and says what it costs and where to see what it buys', async () => {
    const files = { 'config.json': { ...CONFIG, rope_theta: 1.1e6 }, 'old.json': CONFIG };
    const [reference, own] = good.candidates;
    const groups = own!.groups.map((group) => ({ ...group, changed: true }));
    const report: Report = {
      ...good,
      target: { multiple: 1, tokens: 32_768 },
      candidates: [
        reference!,
        { ...own!, groups, needle: own!.needle.slice(0, 1), short: short(-0.01, 0.03) },
      ],
    };
    const args = ['--base', 'old.json', '--rule', 'reach >= 1x'];
    const { code, stdout } = await check(args, { report, files });
    expect(code).toBe(0);
    const [verdict, effect, further] = stdout.split('\n');
    expect(verdict).toMatch(/^PASSED \(1 warning, /);
    expect(effect).toContain('costs +0.03 nats (+3 % perplexity) and −1.0 pts of facts');
    expect(further).toContain('rope-eval config.json --base old.json');
    expect(stdout).toContain('RE060 rope_theta: theta was 1000000 and is now 1100000');
  });

  it('refuses --details beside --json', async () => {
    expect((await check(['--details', '--json'])).code).toBe(2);
  });
});
