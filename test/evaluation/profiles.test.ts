import { describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { resolveCandidate } from '../../src/candidates/resolve.js';
import { requestProfiles } from '../../src/evaluation/recommendation.js';
import type { Setup } from '../../src/evaluation/setup.js';
import { chooseReference } from '../../src/model/evidence.js';
import { readConfig, requireRope } from '../../src/model/read-model.js';
import type { CandidateReport } from '../../src/report/schema/candidate.js';
import type { Report } from '../../src/report/schema/report.js';
import { verdictSection } from '../../src/report/sections/verdict.js';
import { configText } from '../emit/input.js';
import { makeReport } from '../helpers/report.js';

/** Reach of each candidate as a multiple of the trained window; the reference reaches 1. */
function profiles(
  reaches: Readonly<Record<string, number>>,
  recommended: string,
  code: Report['recommendation']['code'] = 'use',
) {
  const config = readConfig(configText('Qwen2.5-7B-Instruct'));
  const model = requireRope(config.model);
  const reference = chooseReference(model);
  const labels = Object.keys(reaches);
  const candidates = parseCandidates(labels.join(',')).map((definition) =>
    resolveCandidate(definition, model, reference),
  );
  const target = { multiple: 4, tokens: 131_072 };
  const setup = { config, model, reference, candidates, target } as unknown as Setup;
  const report = (label: string, multiple: number) =>
    ({ label, reach: { multiple } }) as unknown as CandidateReport;
  const reports = labels.map((label) => report(label, reaches[label]!));
  const recommendation = { code, candidate: recommended, tied: [] };
  return requestProfiles(setup, [report('none', 1), ...reports], recommendation);
}

describe('request profiles', () => {
  it('are the least factor that holds at each length', () => {
    expect(profiles({ 'yarn:2': 2.2, 'yarn:4': 4.4, 'ntk:4': 3 }, 'yarn:4')).toMatchObject([
      { upTo: 32_768, candidate: 'none', factor: 1 },
      {
        upTo: 65_536,
        candidate: 'yarn:2',
        factor: 2,
        write: { rope_scaling: { factor: 2 }, max_position_embeddings: 65_536 },
      },
      {
        upTo: 131_072,
        candidate: 'yarn:4',
        factor: 4,
        write: { rope_scaling: { factor: 4 }, max_position_embeddings: 131_072 },
      },
    ]);
  });

  it('take a larger factor where the smaller one falls short of its name', () => {
    const found = profiles({ 'ntk:2': 1.7, 'ntk:4': 3.1, 'ntk:8': 4.4 }, 'ntk:8');
    expect(found?.map(({ candidate }) => candidate)).toEqual(['none', 'ntk:4', 'ntk:8']);
  });

  it('say where nothing holds', () => {
    const found = profiles({ 'ntk:2': 1.7, 'ntk:4': 3.1 }, 'ntk:4');
    expect(found?.at(-1)).toEqual({ upTo: 131_072, candidate: null });
  });

  it('are in proportion to the length, and say so, where one factor was measured', () => {
    expect(profiles({ 'yarn:4': 4.4, 'ntk:2': 2 }, 'yarn:4')).toEqual([
      { upTo: 32_768, candidate: 'none', factor: 1 },
      {
        upTo: 65_536,
        candidate: 'yarn:2',
        factor: 2,
        measured: false,
        write: {
          rope_scaling: {
            rope_type: 'yarn',
            factor: 2,
            original_max_position_embeddings: 32_768,
          },
          max_position_embeddings: 65_536,
        },
      },
      {
        upTo: 131_072,
        candidate: 'yarn:4',
        factor: 4,
        write: {
          rope_scaling: {
            rope_type: 'yarn',
            factor: 4,
            original_max_position_embeddings: 32_768,
          },
          max_position_embeddings: 131_072,
        },
      },
    ]);
  });

  it('keep what a larger factor needs beyond its name, and the parameters', () => {
    const found = profiles({ 'yarn:6:beta_fast=16': 5 }, 'yarn:6:beta_fast=16');
    expect(found?.map(({ candidate }) => candidate)).toEqual([
      'none',
      'yarn:3:beta_fast=16',
      'yarn:6:beta_fast=16',
    ]);
  });

  it('need a factor, and a table that does not follow the length', () => {
    expect(profiles({ 'theta:5e6': 4.4, 'yarn:2': 2 }, 'theta:5e6')).toBeUndefined();
    expect(profiles({ 'dynamic:1': 4.4 }, 'dynamic:1')).toBeUndefined();
  });

  it('need a factor that reaches the target, where no other was measured', () => {
    expect(profiles({ 'yarn:4': 3 }, 'yarn:4', 'none-reaches')).toBeUndefined();
    expect(profiles({ 'yarn:4': 4.4 }, 'yarn:4', 'unclear')).toBeUndefined();
  });

  it('stand under the recommendation', () => {
    const report = makeReport();
    const section = verdictSection({
      ...report,
      recommendation: {
        ...report.recommendation,
        profiles: [
          { upTo: 32_768, candidate: 'none', factor: 1 },
          { upTo: 65_536, candidate: 'yarn:2', factor: 2, measured: false },
          { upTo: 131_072, candidate: null },
        ],
      },
    });
    expect(JSON.stringify(section)).toMatch(/32k: none; 64k: yarn:2 \([^)]+\); 128k: /);
    expect(JSON.stringify(verdictSection(report))).not.toContain('32k: ');
  });
});
