import { describe, expect, it, vi } from 'vitest';
import { EncodingsSchema } from '../../src/encodings/schema.js';
import { InspectSchema } from '../../src/report/schema/inspect.js';
import { compareEncodings, makeEncodingsReport } from '../helpers/encodings.js';
import { type FakeOptions, runCli } from '../helpers/environment.js';
import { errorAt } from '../helpers/errors.js';

vi.mock('../../src/encodings/twins.js', async (original) => ({
  ...(await original<typeof import('../../src/encodings/twins.js')>()),
  measuredEncodings: async () => makeEncodingsReport(),
}));

const run = (argv: readonly string[], config: object, more: FakeOptions = {}) =>
  runCli(argv, { stdin: JSON.stringify(config), compareEncodings, ...more });

describe.each([
  ['learned', { model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] }, 'learned'],
  ['ALiBi', { model_type: 'bloom' }, 'alibi'],
  [
    'ALiBi by a flag',
    { model_type: 'falcon', alibi: true, hidden_size: 64, num_attention_heads: 4 },
    'alibi',
  ],
  ['no', { model_type: 'jamba' }, 'nope'],
])('a model with %s positions', (_, config, twin) => {
  it('gets a finding with its twin’s row from the default command', async () => {
    const ran = await run(['-', '--json'], config);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
    const report = EncodingsSchema.parse(JSON.parse(ran.stdout));
    expect(report.config).toMatchObject({ modelType: config.model_type, twin });
    expect(report.findings).toMatchObject([
      { code: 'RE029', severity: 'notice' },
      { code: 'RE037', args: { twin } },
    ]);
    expect(report.rows.map((row) => row.label)).toEqual(['rope', twin]);
  });

  it('gets the same from inspect, as it was measured', async () => {
    const ran = await run(['inspect', '-', '--json'], config);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
    const data = InspectSchema.parse(JSON.parse(ran.stdout));
    expect(data.findings.map((f) => f.code)).toEqual(['RE029', 'RE037']);
    expect(data.twin).toMatchObject({ encoding: twin });
  });

  it('fails in check', async () => {
    const ran = await run(['check', '-'], config);
    expect(ran.code).toBe(2);
    expect(ran.error).toEqual(errorAt('not_rope'));
  });
});

describe('a model without attention', () => {
  it('has no twin, nothing is run, and that is no failure', async () => {
    const ran = await run(['-', '--json'], { model_type: 'mamba' });
    const report = EncodingsSchema.parse(JSON.parse(ran.stdout));
    expect(ran.code).toBe(0);
    expect(report).toMatchObject({ config: { twin: null }, rows: [] });
    expect(report.findings.map((f) => f.code)).toEqual(['RE029']);
    expect((await run(['inspect', '-', '--json'], { model_type: 'mamba' })).code).toBe(0);
  });
});

it.each([
  [['-', '--candidates', 'yarn:4'], 'candidates'],
  [['-', '--target', '8k'], 'target'],
  [['-', '--trained-window', '2048'], 'trainedWindow'],
  [['inspect', '-', '--candidate', 'yarn:4'], 'candidate'],
  [['inspect', '-', '--seq-len', '4096'], 'seqLen'],
])('%j is about RoPE alone, and refused', async (argv, option) => {
  const ran = await run(argv, { model_type: 'gpt2' });
  expect(ran.code).toBe(2);
  expect(ran.error).toEqual(errorAt('not_rope', { option }));
  expect(ran.stdout).toBe('');
});
