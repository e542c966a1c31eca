import { beforeAll, describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { evaluate } from '../../src/evaluate.js';
import type { Report } from '../../src/report/schema/report.js';
import type { Batch, ProbeEngine } from '../../src/subjects/bundled/engine.js';
import { openSession } from '../../src/subjects/bundled/session.js';
import { modelConfig } from '../helpers/model-config.js';

const llama2 = modelConfig('Llama-2-7b-hf');
const base = { threads: 1, worker: false, device: 'cpu', samples: 2, target: 8192 } as const;

/** Rounds like a table in half precision, with 8 bits of mantissa. */
function bfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = ((bits[0]! + 0x8000) & 0xffff0000) >>> 0;
  return new Float32Array(bits.buffer)[0]!;
}

/** An engine whose angles were rounded before their cosine was taken. */
function broken(engine: ProbeEngine): ProbeEngine {
  const rounded = ({ rotary, ...batch }: Batch): Batch => {
    const angle = rotary.qCos.map((cos, i) => bfloat16(Math.atan2(rotary.qSin[i]!, cos)));
    const size = rotary.qCos.map((cos, i) => Math.hypot(cos, rotary.qSin[i]!));
    const qCos = angle.map((a, i) => size[i]! * Math.cos(a));
    const qSin = angle.map((a, i) => size[i]! * Math.sin(a));
    return { ...batch, rotary: { ...rotary, qCos, qSin, kCos: qCos, kSin: qSin } };
  };
  return {
    info: engine.info,
    close: () => engine.close(),
    run: (batch) => engine.run(rounded(batch)),
  };
}

describe('the same text further on', () => {
  let report: Report;
  let bad: Report;

  beforeAll(async () => {
    const candidates = parseCandidates('yarn:2,dynamic:2');
    report = await evaluate(llama2, { ...base, candidates });
    bad = await evaluate(llama2, {
      ...base,
      candidates: parseCandidates('yarn:2'),
      openEngine: async (request) => broken(await openSession(request)),
    });
  });

  it('scores alike, except where the table follows the length by definition', () => {
    const [reference, yarn, dynamic] = report.candidates.map((c) => c.offset!);
    expect(reference).toMatchObject({ verdict: 'none', shift: { tokens: 4096, probeTokens: 256 } });
    expect(yarn!.verdict).toBe('none');
    expect(dynamic!.verdict).toBe('by-definition');
    expect(dynamic!.maxDrift).toBeGreaterThan(yarn!.maxDrift);
    expect(report.findings.map((f) => f.code)).not.toContain('RE054');
  });

  it('is found to drift where the angles of a table were rounded', () => {
    for (const { offset } of bad.candidates) expect(offset!.verdict).toBe('drifts');
    expect(bad.findings.filter((f) => f.code === 'RE054')).toHaveLength(2);
  });
});
