import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluate } from '../../src/evaluate.js';
import { ReportSchema } from '../../src/report/schema/report.js';

const config = readFileSync('fixtures/model-configs/Qwen2.5-7B-Instruct.json', 'utf8');
const options = {
  candidates: parseCandidates('dynamic:2,yarn:2'),
  preset: 'quick',
  samples: 2,
  threads: 1,
  worker: false,
  device: 'cpu',
} as const;

/** The schema refuses NaN. */
it.each([36_100, 38_000, 40_000])(
  'a target of %d tokens is measured on every rung',
  async (target) => {
    const report = await evaluate(config, { ...options, target });
    expect(ReportSchema.safeParse(report).success).toBe(true);
    expect(report.target.tokens).toBe(target);
    for (const candidate of report.candidates)
      for (const rung of candidate.needle) expect(rung.total).toBeGreaterThan(0);
  },
);

it('a target within a tenth of the window is raised, and the report says so', async () => {
  const report = await evaluate(config, { ...options, target: 33_000 });
  expect(report.target.tokens).toBe(Math.ceil(1.1 * 32_768));
  expect(report.findings).toContainEqual(
    expect.objectContaining({ code: 'RE055', args: expect.objectContaining({ asked: 33_000 }) }),
  );
});
