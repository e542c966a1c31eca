import { expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluate } from '../../src/evaluate.js';
import { cellName, cellsOf } from '../../src/gate/cells.js';
import { ReportSchema } from '../../src/report/schema/report.js';
import { modelConfig } from '../helpers/model-config.js';

/** Two layer types with the same rope, so that a scaling reaches the sliding layers too. */
const gemma = modelConfig('gemma-2-9b-it');

const options = {
  preset: 'quick',
  threads: 1,
  worker: false,
  device: 'cpu',
  candidates: parseCandidates('linear:4'),
} as const;

it('gives data per context from which every cell of the report follows', async () => {
  const report = await evaluate(gemma, {
    ...options,
    target: 16_384,
  });
  const saved = ReportSchema.parse(JSON.parse(JSON.stringify(report)));
  const cells = cellsOf(saved);
  expect(cells.map((cell) => cellName(cell))).toEqual(
    expect.arrayContaining(['needle@16384', 'reach', 'short.lossChange']),
  );
  expect(report.candidates[1]!.local.length).toBeGreaterThan(0);
  for (const cell of cells) {
    const { candidate, interval, sample } = cell;
    const all = Array.from({ length: sample!.size }, (_, c) => c);
    expect(sample!.at(all), `${candidate}: ${cellName(cell)}`).toBeCloseTo(interval.value, 5);
  }
}, 120_000);

it('leaves it out of a run that did not finish', async () => {
  const stop = new AbortController();
  stop.abort();
  const report = await evaluate(gemma, {
    ...options,
    signal: stop.signal,
  });
  expect(report.status).toBe('interrupted');
  expect(report.perContext).toBeUndefined();
});
