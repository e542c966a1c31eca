import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluate } from '../../src/evaluate.js';
import type { Progress } from '../../src/options.js';
import { ReportSchema } from '../../src/report/schema/report.js';
import { neighboursSection } from '../../src/report/sections/tiers.js';
import { chooseMember, loadFamily, neighboursOf } from '../../src/subjects/bundled/family.js';

const config = readFileSync('fixtures/model-configs/Qwen2.5-7B-Instruct.json', 'utf8');
const family = await loadFamily();
const options = {
  candidates: parseCandidates('yarn:2,linear:2'),
  target: 65536,
  samples: 2,
  threads: 1,
  worker: false,
  device: 'cpu',
} as const;

it('neighbours are the next geometries below and above', () => {
  const whole = family.members.filter((m) => m.rotaryShare === 1);
  const sorted = [...new Set(whole.map((m) => m.criticalFraction))].sort((a, b) => a - b);
  const nearest = (c: number) =>
    chooseMember(family, { criticalFraction: c, rotaryShare: 1 }).member;
  const member = nearest(sorted[1]!);
  const found = neighboursOf(family, member).map((m) => m.criticalFraction);
  expect(found).toContain(sorted[0]);
  expect(found).toContain(sorted[2]);
  const lowest = nearest(sorted[0]!);
  expect(neighboursOf(family, lowest).every((m) => m.criticalFraction <= sorted[1]!)).toBe(true);
  expect(neighboursOf(family, member).every((m) => m.rotaryShare === 1)).toBe(true);
});

it('another seed of the same geometry is one, its own neighbours are not', () => {
  const [first, second] = family.members.filter(
    (m) => m.criticalFraction === 0.38 && m.rotaryShare === 1,
  );
  const found = neighboursOf(family, first!);
  expect(found).toContainEqual(second);
  expect(found.filter((m) => m.criticalFraction !== 0.38).every((m) => m.seed === 1)).toBe(true);
});

it('the thorough preset runs them and tells the range; progress never goes back', async () => {
  const shares: number[] = [];
  const onProgress = ({ done, total }: Progress) => shares.push(done / total);
  const report = await evaluate(config, { ...options, preset: 'thorough', onProgress });
  expect(ReportSchema.safeParse(report).success).toBe(true);
  const own = family.members.find((m) => m.name === report.subject.name)!;
  const names = report.otherProbeModels!.map((o) => o.probeModel.name);
  expect(names).toEqual(neighboursOf(family, own).map((m) => m.name));
  for (const other of report.otherProbeModels!) {
    expect(other.candidates.map((c) => c.label)).toEqual(['reference', 'yarn:2', 'linear:2']);
    const main = report.candidates[1]!.short!.lossChange.value;
    expect(other.candidates[1]!.shortLossChange!.value).not.toBe(main);
  }
  const [table, note] = neighboursSection(report).blocks;
  if (table?.kind !== 'table' || note?.kind !== 'text') throw new TypeError('a table and its note');
  expect(table.rows.map(({ cells }) => cells[0]!.text)).toEqual(['yarn:2', 'linear:2']);
  expect(table.rows[0]!.cells[1]!.text).toMatch(/ to /);
  for (const name of names) expect(note.text).toContain(name);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares.at(-1)).toBeLessThanOrEqual(1);
}, 120_000);

it('an abort while a neighbour runs leaves an interrupted report that can be resumed', async () => {
  const controller = new AbortController();
  const report = await evaluate(config, {
    ...options,
    preset: 'thorough',
    signal: controller.signal,
    onProgress: ({ label }) => {
      if (label.startsWith('c')) controller.abort();
    },
  });
  expect(report.status).toBe('interrupted');
  expect(report.perContext).toBeUndefined();
  const resumed = await evaluate(config, { ...options, preset: 'thorough', resume: report });
  expect(resumed.status).toBe('complete');
  expect(resumed.candidates).toEqual(report.candidates);
  expect(resumed.otherProbeModels!.length).toBeGreaterThan(0);
}, 120_000);

it('other presets leave them out', async () => {
  const report = await evaluate(config, { ...options, preset: 'quick' });
  expect(report).not.toHaveProperty('otherProbeModels');
}, 60_000);
