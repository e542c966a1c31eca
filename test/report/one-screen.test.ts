import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/evaluate.js';
import { parseConfig } from '../../src/json/parse.js';
import { chooseReference } from '../../src/model/evidence.js';
import { isNotRope, readModel } from '../../src/model/read-model.js';
import { OWN_CODE } from '../../src/report/format.js';
import { inspectData, inspectNotRope } from '../../src/report/inspect/data.js';
import { inspectAnswer } from '../../src/report/inspect/sections.js';
import type { Report } from '../../src/report/schema/report.js';
import { answerSections } from '../../src/report/sections/answer.js';
import { summaryTable } from '../../src/report/sections/summary.js';
import { textOf, textWidth } from '../../src/report/terminal.js';
import type { Batch, ProbeEngine } from '../../src/subjects/bundled/engine.js';
import { candidate, makeReport, OWN_DECODER, short } from '../helpers/report.js';

/** The lines that a text takes in a terminal, which wraps long ones. */
function linesOf(text: string, columns: number): number {
  return text
    .trimEnd()
    .split('\n')
    .reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0);
}

/** Commands are not wrapped, so that they can be copied. */
const isCommand = (line: string): boolean => /^(Next,.*| ) rope-eval /.test(line);

const draw = (report: Report, columns = 80): string =>
  textOf(answerSections(report), { color: false, columns, plots: true });

/** Answers that differ between tables, and get worse with the length. */
function madeUp(seed: number): ProbeEngine {
  const run = ({ batch, score, length, rotary }: Batch) => {
    const table = rotary.kSin.at(-1)! + rotary.kCos.at(-1)!;
    const quality = Math.abs(Math.sin(1e4 * table + seed));
    const right = 1.1 - quality * (length / 1024);
    const size = batch * score;
    return Promise.resolve({
      logProbability: new Float32Array(size).fill(-0.2 - quality * (length / 1024)),
      correct: Uint8Array.from({ length: size }, (_, i) => ((i * 37) % 100 < 100 * right ? 1 : 0)),
    });
  };
  const info = {
    device: 'cpu',
    onnxruntime: '1.30.0',
    weightsSha256: 'a'.repeat(64),
    graphSha256: 'b'.repeat(64),
  } as ProbeEngine['info'];
  return { info, run, close: () => Promise.resolve() };
}

const CONFIGS = ['configs', 'fixtures/model-configs'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${folder}/${name}`),
);

const usesRope = (text: string): boolean =>
  !isNotRope(readModel(parseConfig(text, { source: 'test' })));

describe('the answer takes one screen of 24 lines and 80 columns', () => {
  it.each(CONFIGS.filter((path) => usesRope(readFileSync(path, 'utf8'))))('%s', async (path) => {
    const source = path;
    const report = await evaluate(readFileSync(path, 'utf8'), {
      source,
      preset: 'standard',
      samples: 4,
      openEngine: () => Promise.resolve(madeUp(CONFIGS.indexOf(path))),
    });
    const text = draw(report);
    // The prompt takes one line.
    expect(linesOf(text, 80), text).toBeLessThanOrEqual(23);
    const wide = text.split('\n').filter((line) => textWidth(line) > 80);
    expect(wide.filter((line) => !isCommand(line))).toEqual([]);
    expect(text).not.toMatch(/undefined|NaN|\[object/);
  });
});

describe('inspect takes one screen too', () => {
  it.each(CONFIGS)('%s', (path) => {
    const model = readModel(parseConfig(readFileSync(path, 'utf8'), { source: 'test' }));
    const data = isNotRope(model)
      ? inspectNotRope(model, path)
      : inspectData(model, chooseReference(model), { source: path });
    const text = textOf(inspectAnswer(data), { color: false, columns: 80, plots: true });
    expect(linesOf(text, 80), text).toBeLessThanOrEqual(23);
    expect(text).not.toMatch(/undefined|NaN|\[object/);
  });
});

it('inspect names no negative share where every frequency turns in training', () => {
  const short = {
    model_type: 'qwen2',
    hidden_size: 3584,
    num_attention_heads: 28,
    max_position_embeddings: 131_072,
    rope_theta: 10_000,
  };
  const model = readModel(short);
  if (isNotRope(model)) throw new Error('qwen2 uses RoPE');
  const data = inspectData(model, chooseReference(model), { source: 'test' });
  const text = textOf(inspectAnswer(data), { color: false, columns: 80, plots: true });
  expect(data.reference?.criticalFraction).toBeLessThanOrEqual(0);
  expect(text).not.toMatch(/[-−]\d+ %/);
});

describe('the table of the answer', () => {
  const rowsOf = (report: Report) => {
    const blocks = answerSections(report).flatMap((section) => section.blocks);
    const table = blocks.find((block) => block.kind === 'table');
    return table?.rows.map(({ cells }) => cells.map(({ text }) => text)) ?? [];
  };

  it('has the recommended candidate first and marked, the reference last', () => {
    const labels = rowsOf(makeReport()).map(([label]) => label);
    expect(labels).toEqual(['> dynamic:4', '≈ yarn:4', '  ntk:4', '  linear:4', '  none']);
  });

  it('marks what is within chance of the recommended one, and nothing else', () => {
    const candidates = [
      candidate('none', 'reference', 1, short(0, 0)),
      candidate('yarn:4', 'reaches', 4, short(-0.012, 0.042)),
      candidate('ntk:4', 'falls-short', 3, short(-0.004, 0.045)),
    ];
    const recommendation = { code: 'use' as const, candidate: 'yarn:4', tied: [] };
    const [best, other] = rowsOf(makeReport({ candidates, recommendation }));
    expect(best).toEqual(['> yarn:4', '≥ 131,072', '+0.042  ', '98 %  ', 'reaches the target']);
    expect(other).toEqual(['  ntk:4', '98,304', '+0.045 ≈', '75 %  ', 'falls short']);
  });

  it('gives a scaling that has two names one row, which the full table names by both', () => {
    const own = candidate('yarn:4', 'reaches', 4, short(-0.012, 0.042));
    const candidates = [
      candidate('none', 'reference', 1, short(0, 0)),
      { ...own, label: 'as-configured' },
      own,
      candidate('ntk:4', 'falls-short', 3, short(-0.004, 0.045)),
    ];
    const recommendation = { code: 'use' as const, candidate: 'yarn:4', tied: ['as-configured'] };
    const report = makeReport({ candidates, recommendation });
    expect(rowsOf(report).map(([label]) => label)).toEqual(['> yarn:4', '  ntk:4', '  none']);
    expect(draw(report)).toMatch(/^> yarn:4 .*\n {2}= as-configured$/m);
    expect(summaryTable(report).rows.map(({ cells, marked }) => [cells[0]!.text, marked])).toEqual([
      ['none', false],
      ['yarn:4 = as-configured', true],
      ['ntk:4', false],
    ]);
  });

  it('knows a scaling by what was measured, whether a block or a shorthand names it', () => {
    const own = candidate('yarn:4', 'reaches', 4, short(-0.012, 0.042));
    const { label: _, ...unnamed } = own;
    const block = { label: 'block', argument: '{"rope_type":"yarn","factor":4}', ...unnamed };
    const candidates = [candidate('none', 'reference', 1, short(0, 0)), own, block];
    const report = makeReport({ candidates });
    expect(summaryTable(report).rows.map(({ cells }) => cells[0]!.text)).toEqual([
      'none',
      'yarn:4 = block',
    ]);
  });

  it('keeps rows apart that were not measured', () => {
    const open = { ...candidate('yarn:4', 'unclear', 4, short(0, 0)), needle: [] };
    const candidates = [makeReport().candidates[0]!, open, { ...open, label: 'yarn-critical:4' }];
    expect(summaryTable(makeReport({ candidates })).rows).toHaveLength(3);
  });

  it('is left out where nothing has to be done', () => {
    const recommendation = { code: 'keep' as const, candidate: 'none', tied: [] };
    expect(rowsOf(makeReport({ recommendation }))).toEqual([]);
  });

  it.each([60, 80, 120])('fits into %d columns with labels of any length', (columns) => {
    const label = '{"rope_type":"yarn","factor":4,"original_max_position_embeddings":32768}';
    const candidates = [
      ...makeReport().candidates,
      candidate(label, 'reaches', 4, short(-0.012, 0.042)),
    ];
    const lines = draw(makeReport({ candidates }), columns).split('\n');
    expect(lines.filter((line) => textWidth(line) > columns && !isCommand(line))).toEqual([]);
    expect(lines.some((line) => line.includes('needs'))).toBe(false);
  });
});

describe('an answer of the user’s own decoder', () => {
  const report = makeReport({ subject: OWN_DECODER });

  it('gives its own nats, not a range of other models', () => {
    const costly = (of: Report): Report => ({
      ...of,
      candidates: of.candidates.map((row) => ({
        ...row,
        groups: row.groups.map((group) => ({ ...group, ropeType: 'yarn', changed: true })),
        short: short(-0.03, 0.06),
      })),
    });
    expect(draw(costly(makeReport()))).toMatch(/on\s+models\s+of/);
    expect(draw(costly(report))).not.toMatch(/on\s+models\s+of/);
    expect(draw(report)).toContain('mine.onnx');
    expect(draw(report)).not.toContain('Probe');
  });
});

it('fits with every row, a tie, a cost in words and a warning about the winner', () => {
  const labels = ['yarn:4', 'by-parts:4', 'llama3:4', 'dynamic:1', 'ntk:4', 'linear:4', 'none'];
  const groups = [
    {
      layerType: 'full_attention',
      ropeType: 'yarn',
      attentionScaling: 1.1,
      maxStretch: 4,
      changed: true,
    },
  ];
  const candidates = [
    candidate('reference', 'reference', 1, short(0, 0)),
    ...labels.map((label) => ({
      ...candidate(label, 'reaches-at-a-cost', 4, short(-0.055, 0.086)),
      groups,
    })),
  ];
  const report = makeReport({
    candidates,
    recommendation: { code: 'use-at-a-cost', candidate: 'yarn:4', tied: ['by-parts:4'] },
    findings: [
      {
        code: 'RE050',
        severity: 'warning',
        path: 'full_attention',
        args: { candidate: 'yarn:4', trained: 'llama3' },
      },
    ],
  });
  const text = draw(report);
  expect(linesOf(text, 80), text).toBeLessThanOrEqual(23);
  expect(text).toContain('RE050');
});

it('leaves no code of colour behind that is not its own', () => {
  const text = textOf(answerSections(makeReport()), { color: true, columns: 80, plots: true });
  expect(text).toMatch(OWN_CODE);
  expect(text.replaceAll(OWN_CODE, '')).not.toContain('\u001b');
});

it('explains a mark only where one stands', () => {
  const { candidates, ...rest } = makeReport();
  const alone = { ...rest, candidates: candidates.slice(0, 2) };
  const recommendation = { ...rest.recommendation, candidate: candidates[1]!.label, tied: [] };
  expect(draw({ ...alone, recommendation })).not.toContain('≈');
});
