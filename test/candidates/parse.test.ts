import { describe, expect, it } from 'vitest';
import { joinCandidates, parseCandidates } from '../../src/candidates/definition.js';

describe('a list of candidates', () => {
  it('reads every shorthand', () => {
    const text =
      'yarn:4,linear:2,dynamic:4,llama3:8,theta:1e6,ntk:4,by-parts:4,none,as-configured,longrope:C:/f.json';
    expect(parseCandidates(text).map((found) => [found.label, found.method])).toEqual([
      ['yarn:4', 'yarn'],
      ['linear:2', 'linear'],
      ['dynamic:4', 'dynamic'],
      ['llama3:8', 'llama3'],
      ['theta:1e6', 'theta'],
      ['ntk:4', 'ntk'],
      ['by-parts:4', 'by-parts'],
      ['none', 'none'],
      ['as-configured', 'as-configured'],
      ['longrope:C:/f.json', 'longrope'],
    ]);
  });

  it('spells shorthands as labels do', () => {
    expect(parseCandidates('YaRN:4x,Llama3:8,yarn:2x:beta_fast=16')).toMatchObject([
      { label: 'yarn:4', method: 'yarn', factor: 4 },
      { label: 'llama3:8', method: 'llama3', factor: 8 },
      { label: 'yarn:2:beta_fast=16', method: 'yarn', factor: 2 },
    ]);
    expect(parseCandidates('longrope:Lists/A.json')).toMatchObject([{ file: 'Lists/A.json' }]);
  });

  it('reads parameters by their config keys', () => {
    expect(parseCandidates('yarn:4:beta_fast=16:truncate=false')).toMatchObject([
      { factor: 4, params: { beta_fast: 16, truncate: false } },
    ]);
  });

  it('reads one JSON object, commas and all', () => {
    expect(parseCandidates('{"rope_type": "yarn", "factor": 4}')).toEqual([
      { label: 'json:yarn:4', method: 'block', block: { rope_type: 'yarn', factor: 4 } },
    ]);
  });

  it.each([
    ['yarn4', /did you mean "yarn:4"/, 'unknown_candidate'],
    ['YaRN=4', /did you mean "yarn:4"/, 'unknown_candidate'],
    ['yran:4', /"yran" is not a scaling \(did you mean "yarn"\?\)/, 'unknown_candidate'],
    ['constructor:4', /"constructor" is not a scaling/, 'unknown_candidate'],
    ['yarn:0.5', /at least 1, found "0.5"/, 'invalid_value'],
    ['yarn:NaN', /at least 1, found "NaN"/, 'invalid_value'],
    ['yarn:Infinity', /at least 1, found "Infinity"/, 'invalid_value'],
    ['yarn:0x4', /at least 1, found "0x4"/, 'invalid_value'],
    ['yarn:1e99', /at most/, 'invalid_value'],
    ['yarn', /needs a factor, e.g. yarn:4/, 'invalid_value'],
    ['theta:1', /base above 1/, 'invalid_value'],
    ['none:2', /takes no value/, 'invalid_value'],
    ['longrope:', /needs a file/, 'invalid_value'],
    ['yarn:4:beta_fst=16', /did you mean "beta_fast"/, 'unknown_parameter'],
    ['linear:4:beta_fast=16', /no parameter "beta_fast"/, 'unknown_parameter'],
    ['yarn:4:beta_fast=x', /above 0, found "x"/, 'invalid_value'],
    ['yarn:4,yarn:4', /given twice/, 'duplicate_candidate'],
    ['yarn:4,yarn:4.0', /given twice/, 'duplicate_candidate'],
    ['yarn:4,,linear:2', /is empty/, 'no_candidates'],
    ['{"rope_type": NaN,}', /a comma before } is not allowed/, 'invalid_json'],
    ['[{"rope_type": "yarn"}]', /one JSON object per option/, 'invalid_json'],
  ])('%s is refused', (text, message, kind) => {
    expect(() => parseCandidates(text)).toThrow(message);
    expect(() => parseCandidates(text)).toThrow(expect.objectContaining({ kind, exitCode: 2 }));
  });

  it('finds duplicates across options', () => {
    const lists = [parseCandidates('yarn:4'), parseCandidates('linear:2,yarn:4')];
    expect(() => joinCandidates(lists)).toThrow(/given twice/);
  });
});

it('refuses what is no text', () => {
  const given = undefined as unknown as string;
  expect(() => parseCandidates(given)).toThrow(
    expect.objectContaining({ exitCode: 2, kind: 'invalid_value' }),
  );
});

it('bounds how many there are in all, however many options name them', () => {
  const lists = Array.from({ length: 65 }, (_, i) => parseCandidates(`yarn:${i + 2}`));
  expect(joinCandidates(lists.slice(1))).toHaveLength(64);
  expect(() => joinCandidates(lists)).toThrow(/\b65 .*\b64\b/);
});
