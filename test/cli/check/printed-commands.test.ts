import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../../src/report/schema/report.js';
import { CONFIG as BASE } from '../../helpers/check.js';
import { commandsIn } from '../../helpers/commands.js';
import { type Ran, runCli } from '../../helpers/environment.js';
import { sameTables } from '../../../src/emit/read-back.js';
import { readConfig } from '../../../src/model/read-model.js';
import { setUp } from '../../../src/evaluation/setup.js';
import { keysToWrite } from '../../../src/evaluation/recommendation.js';
import { parseCandidates } from '../../../src/candidates/definition.js';
import { candidate, makeReport, short } from '../../helpers/report.js';
import { temporaryFolder } from '../../helpers/temporary.js';

const reportOf = (accuracy: number, loss: number): Report =>
  makeReport({
    candidates: [
      candidate('none', 'reference', 1, short(0, 0)),
      candidate('as-configured', 'fails-short', 4, short(accuracy, loss)),
    ],
  });

async function run(
  change: object,
  report: Report,
  argv: readonly string[] = [],
): Promise<{ first: Ran; again: (words: readonly string[]) => Promise<Ran> }> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'the config.json'), JSON.stringify({ ...BASE, ...change }, null, 2));
  await writeFile(join(cwd, "old's.json"), JSON.stringify(BASE, null, 2));
  await writeFile(join(cwd, 'policy.json'), '{"preset": "quick", "seed": 7, "target": 131072}');
  const options = { cwd, evaluate: async () => report, columns: 2000 };
  const check = ['check', 'the config.json', '--base', "old's.json", '--policy', 'policy.json'];
  return {
    first: await runCli([...check, ...argv], options),
    again: (words) => runCli(words, options),
  };
}

const LINEAR = { rope_scaling: { rope_type: 'linear', factor: 8 } };

describe('a command that advice prints', () => {
  it('compares at the length and against the reference of the verdict', async () => {
    const { first, again } = await run(LINEAR, reportOf(-0.4, 0.66));
    const words = commandsIn(first.stdout).find(([command]) => command !== 'check');
    const second = await again(words!);
    expect(second.code).toBe(0);
    const { base: wasBase, target, preset, seed } = first.calls[0]!.options;
    const { options } = second.calls[0]!;
    expect(options).toMatchObject({ target, preset, seed });
    expect(options.base).toEqual(wasBase);
  });

  it('judges again with more samples, by the same policy and rules', async () => {
    const rules = [
      '--rule',
      'short.lossChange <= 0.661',
      '--allow',
      'x y',
      '--severity',
      'RE062=off',
    ];
    const { first, again } = await run(LINEAR, reportOf(0, 0.66), rules);
    expect(first.code).toBe(1);
    const words = commandsIn(first.stdout).find((each) => each.includes('--samples'));
    expect(words?.[0]).toBe('check');
    const second = await again(words!);
    expect(second.code).toBe(first.code);
    expect(second.calls[0]!.options.samples).toBeGreaterThan(0);
    const verdictOf = (text: string): string => text.split('\n')[0] ?? '';
    expect(verdictOf(second.stdout)).toBe(verdictOf(first.stdout));
  });

  it('is none where theta is the cause: no scaling makes up for it', async () => {
    const { first } = await run({ rope_theta: 1e4, ...LINEAR }, reportOf(-0.4, 0.66));
    expect(first.code).toBe(1);
    expect(first.stdout).toMatch(/config\.json:\d+ \(rope_theta\): /);
    // None compares scalings.
    expect(commandsIn(first.stdout).map(([command]) => command)).toEqual(['check']);
  });
});

it('a lying baseline makes no failing rule pass, and a false cell is refused', async () => {
  const cwd = await temporaryFolder();
  const bad = reportOf(-0.4, 0.66);
  const { first } = await run(LINEAR, bad);
  expect(first.code).toBe(1);
  await writeFile(join(cwd, 'config.json'), JSON.stringify({ ...BASE, ...LINEAR }));
  await writeFile(join(cwd, 'base.json'), JSON.stringify(BASE));
  await writeFile(join(cwd, 'lie.json'), JSON.stringify(bad));
  const judged = await runCli(
    ['check', 'config.json', '--base', 'base.json', '--baseline', 'lie.json'],
    { cwd, evaluate: async () => bad },
  );
  expect(judged.code).toBe(1);
  const false_ = structuredClone(bad);
  false_.candidates[1]!.needle[0]!.tokens = -5;
  await writeFile(join(cwd, 'lie.json'), JSON.stringify(false_));
  const refused = await runCli(
    ['check', 'config.json', '--base', 'base.json', '--baseline', 'lie.json'],
    { cwd, evaluate: async () => bad },
  );
  expect(refused.code).toBe(2);
});

const LLAMA_3 = { model_type: 'llama', rope_theta: 500_000, max_position_embeddings: 131_072 };

const LLAMA_3_BLOCK = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

/** Changes from one config to another, and what is asked about them. */
const CHANGES: readonly (readonly [name: string, before: object, now: object])[] = [
  ['another theta', {}, { rope_theta: 5e6 }],
  ['a scaling', {}, { rope_scaling: { rope_type: 'linear', factor: 4 } }],
  ['a longer window', {}, { max_position_embeddings: 131_072 }],
  [
    'a trained-in scaling taken away',
    { ...LLAMA_3, rope_scaling: LLAMA_3_BLOCK },
    { ...LLAMA_3, rope_scaling: null },
  ],
  [
    'a theta under the trained-in scaling',
    { ...LLAMA_3, rope_scaling: LLAMA_3_BLOCK },
    { ...LLAMA_3, rope_scaling: LLAMA_3_BLOCK, rope_theta: 1e4 },
  ],
  [
    'a fine-tune with linear scaling on top of another theta',
    { rope_scaling: { rope_type: 'linear', factor: 4 }, rope_theta: 1e4 },
    { rope_scaling: null, rope_theta: 1e6 },
  ],
];

describe('emit with the base writes what was measured', () => {
  const cases = CHANGES.flatMap(([name, before, now]) =>
    ['yarn:2', 'ntk:2', 'dynamic:1', 'linear:2', 'theta:3e6'].map(
      (label) => [label, name, before, now] as const,
    ),
  );
  it.each(cases)('%s after a change of %s', async (label, _, before, now) => {
    const cwd = await temporaryFolder();
    const [old, text] = [before, now].map((keys) => JSON.stringify({ ...BASE, ...keys }, null, 2));
    await writeFile(join(cwd, 'old.json'), old!);
    await writeFile(join(cwd, 'new.json'), text!);
    const setup = setUp(text!, { base: readConfig(old!), candidates: parseCandidates(label) });
    const expected = keysToWrite(setup, { code: 'use', candidate: label, tied: [] }) ?? {};
    const target = ['--target', String(setup.target.tokens)];
    const { code, stdout } = await runCli(
      ['emit', 'new.json', label, '--base', 'old.json', ...target, '--write', '--json'],
      { cwd },
    );
    expect(code).toBe(0);
    const said = JSON.parse(stdout) as {
      written: { path: string; value: unknown }[];
      removed: string[];
    };
    const written = said.written.map(({ path, value }) => [path, value] as const);
    const removed = said.removed.map((path) => [path, null] as const);
    expect(Object.fromEntries([...written, ...removed])).toEqual(expected);
    // The file then has what the probes measured.
    const edited = await readFile(join(cwd, 'new.json'), 'utf8');
    const [measured] = setup.candidates;
    const reread = setUp(edited, {
      base: readConfig(old!),
      candidates: parseCandidates('as-configured'),
      target: setup.target.tokens,
    });
    const [group] = reread.candidates[0]!.specs;
    const lengths = [setup.reference.trainedWindow, setup.target.tokens];
    expect(sameTables(measured!.specs[0]!, group!, lengths)).toBe(true);
  });
});

describe('the next command of the default output', () => {
  const advice = (code: Report['recommendation']['code'], label: string) => ({
    recommendation: { code, candidate: label, tied: [] },
  });
  const commandOf = async (change: Partial<Report>, argv: readonly string[]) => {
    const config = { ...makeReport().config, source: 'the config.json' };
    const { again } = await run({ rope_theta: 5e6 }, makeReport({ config, ...change }));
    const shown = await again(['the config.json', ...argv]);
    const [words] = commandsIn(shown.stdout);
    return { words: words!, again };
  };
  const reference = {
    ...makeReport().reference,
    base: { argument: "'old'\\''s.json'", sha256: 'a'.repeat(64) },
  };

  it('names the config before the change, so that its theta is written', async () => {
    const { words, again } = await commandOf({ reference, ...advice('use', 'yarn:4') }, [
      '--base',
      "old's.json",
    ]);
    const { stdout } = await again([...words, '--engine', 'hf', '--json']);
    expect(stdout).toContain('1000000');
    expect(stdout).not.toContain('5000000');
  });

  it('gives more contexts to the same change, seed and weights', async () => {
    const settings = { ...makeReport().settings, seed: 7 };
    const { words, again } = await commandOf(
      { reference, settings, ...advice('unclear', 'yarn:4') },
      ['--base', "old's.json", '--seed', '7'],
    );
    const { calls } = await again(words);
    expect(calls[0]!.options).toMatchObject({ seed: 7, preset: 'thorough', target: 131_072 });
    expect(calls[0]!.options.base).toBeDefined();
  });

  it('gives a JSON object as it was given, not its label', async () => {
    const block = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 };
    const rows = makeReport().candidates;
    const row = { ...rows[1]!, label: 'json:yarn:4', argument: JSON.stringify(block) };
    const { words, again } = await commandOf(
      { candidates: [rows[0]!, row], ...advice('use', 'json:yarn:4') },
      [],
    );
    const { code, stdout } = await again([...words, '--engine', 'hf']);
    expect(code).toBe(0);
    expect(stdout).toContain('"factor": 4');
  });
});
