import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InspectData } from '../../../src/report/schema/inspect.js';
import { computeRope, type RopeSpec } from '../../../src/rope/registry.js';
import { compareTables } from '../../../src/subjects/onnx/compare.js';
import type { SiteInfo } from '../../../src/subjects/onnx/exported.js';
import { rotaryValues } from '../../../src/subjects/onnx/rotary.js';
import { runCli } from '../../helpers/environment.js';
import { temporaryFolder } from '../../helpers/temporary.js';
import { errorAt } from '../../helpers/errors.js';

const plain = { type: 'default', theta: 500_000, rotaryDim: 64 } as const;
const model = (rope: RopeSpec) => ({
  groups: [
    {
      layerType: 'full_attention',
      layers: [0, 1],
      span: { kind: 'global' },
      rope,
      unscaled: plain,
    } as const,
  ],
});

/** Computes angles in float32, as an exported graph does. */
function site(rope: RopeSpec, positions: number, length?: number): SiteInfo {
  const { invFreq, attentionScaling } = computeRope(rope, length);
  const values = rotaryValues(invFreq, attentionScaling, positions);
  for (let p = 0; p < positions; p++)
    invFreq.forEach((frequency, i) => {
      const angle = Math.fround(p * Math.fround(frequency));
      values.cos[p * 32 + i] = Math.cos(angle) * attentionScaling;
      values.sin[p * 32 + i] = Math.sin(angle) * attentionScaling;
    });
  return { form: 'genai', layers: [0, 1], half: false, own: values };
}

describe('the tables of an export beside those of a config', () => {
  const yarn: RopeSpec = {
    ...plain,
    type: 'yarn',
    factor: 4,
    originalMaxPositions: 8192,
    betaFast: 32,
    betaSlow: 1,
    truncate: true,
  };
  const dynamic: RopeSpec = { ...plain, type: 'dynamic', factor: 4, maxPositions: 8192 };

  it('are the same where float32 rounded the angles of long contexts', () => {
    const [table] = compareTables(model(plain), [site(plain, 65_536)], 65_536);
    expect(table).toMatchObject({ same: true, difference: 0, looksLike: null, positions: 65_536 });
    table!.invFreq.forEach((found, i) =>
      expect(found / computeRope(plain).invFreq[i]!).toBeCloseTo(1, 5),
    );
  });

  it('are the same where both have the scaling, and differ where one has', () => {
    expect(compareTables(model(yarn), [site(yarn, 2048)], 2048)[0]!.same).toBe(true);
    expect(compareTables(model(yarn), [site(plain, 2048)], 2048)[0]).toMatchObject({
      same: false,
      looksLike: 'unscaled',
    });
    expect(compareTables(model(plain), [site(yarn, 2048)], 2048)[0]).toMatchObject({
      same: false,
      looksLike: null,
    });
  });

  it('differ where the export has one table, of short or of long contexts, and the config’s grows', () => {
    expect(compareTables(model(dynamic), [site(dynamic, 16_384)], 16_384)[0]).toMatchObject({
      same: false,
      looksLike: 'unscaled',
    });
    const grown = site(dynamic, 16_384, 16_384);
    expect(compareTables(model(dynamic), [grown], 16_384)[0]!.same).toBe(false);
    const both = { ...site(dynamic, 48, 48), ownLong: grown.own };
    expect(compareTables(model(dynamic), [both], 16_384)[0]!.same).toBe(true);
  });
});

describe('--model on the commands that run no probes', () => {
  const graph = resolve('fixtures/onnx-decoders/genai.onnx');
  const config = JSON.parse(readFileSync('fixtures/onnx-decoders/config.json', 'utf8')) as object;
  async function run(command: string, keys: object, ...more: string[]) {
    const cwd = await temporaryFolder();
    writeFileSync(join(cwd, 'config.json'), JSON.stringify({ ...config, ...keys }));
    return runCli([command, 'config.json', '--model', graph, '--json', ...more], { cwd });
  }
  const yarn = {
    rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 64 },
  };

  it('inspect shows the tables of the export, and a finding where they are others', async () => {
    const same = JSON.parse((await run('inspect', {})).stdout) as InspectData;
    expect(same.exported).toMatchObject({ name: 'genai.onnx', tables: [{ same: true }] });
    expect(same.findings).toEqual([]);
    const other = JSON.parse((await run('inspect', yarn)).stdout) as InspectData;
    expect(other.exported!.tables[0]).toMatchObject({ same: false, looksLike: 'unscaled' });
    expect(other.findings.map(({ code }) => code)).toContain('RE090');
    const candidate = await run('inspect', yarn, '--candidate', 'none');
    expect((JSON.parse(candidate.stdout) as InspectData).exported!.tables[0]!.same).toBe(true);
  });

  it('fingerprint ends with 1 where they are others', async () => {
    expect((await run('fingerprint', {})).code).toBe(0);
    const { code, stdout } = await run('fingerprint', yarn);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ tables: [{ looksLike: 'unscaled' }] });
    expect((await run('fingerprint', {}, '--diff', 'dump.json')).code).toBe(2);
  });

  it('a graph of another model is refused', async () => {
    const { code, error } = await run('inspect', { num_hidden_layers: 12 });
    expect(code).toBe(2);
    expect(error).toEqual(errorAt('onnx_other_model'));
    expect(String(error)).toMatch(/\b2 .*\b12\b/);
  });

  it('what is on a hub is refused before anything is read', async () => {
    for (const model of ['owner/name', 'https://huggingface.co/owner/name']) {
      const { code, error } = await runCli([
        'inspect',
        graph.replace('genai.onnx', 'config.json'),
        '--model',
        model,
      ]);
      expect(code).toBe(2);
      expect(error).toEqual(errorAt('hub_id', { option: 'model' }));
    }
  });
});
