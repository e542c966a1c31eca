import { beforeAll, describe, expect, it } from 'vitest';
import { parseCandidates } from '../../src/candidates/definition.js';
import { resolveCandidate } from '../../src/candidates/resolve.js';
import { emit, emitInputOf } from '../../src/emit/index.js';
import { evaluate } from '../../src/evaluate.js';
import { parseConfig } from '../../src/json/parse.js';
import { chooseReference } from '../../src/model/evidence.js';
import { readConfig, requireRope } from '../../src/model/read-model.js';
import { type CandidateReport, type Report, ReportSchema } from '../../src/report/schema/report.js';
import { modelConfig } from '../helpers/model-config.js';

const llama2 = modelConfig('Llama-2-7b-hf');
const base = { threads: 1, worker: false, device: 'cpu', samples: 3, target: 8192 } as const;

describe('dynamic scaling in its three forms', () => {
  let report: Report;
  let row: (label: string) => CandidateReport;
  let form: (name: string) => NonNullable<CandidateReport['forms']>[number];

  beforeAll(async () => {
    // alpha of the static form at factor 2 is 3
    report = await evaluate(llama2, { ...base, candidates: parseCandidates('dynamic:2,ntk:3') });
    row = (label) => report.candidates.find((c) => c.label === label)!;
    form = (name) => row('dynamic:2').forms!.find((f) => f.form === name)!;
  });

  it('fits the schema, and is left out of other candidates', () => {
    ReportSchema.parse(report);
    expect(row('dynamic:2').forms!.map((f) => f.form)).toEqual(['recomputed', 'cached', 'static']);
    expect(row('ntk:3').forms).toBeUndefined();
  });

  it('has as recomputed what the table of the report shows', () => {
    const { needle, reach } = row('dynamic:2');
    // The expected reach of a model belongs to the candidate and not to its forms.
    const { expected, ...read } = reach!;
    expect(expected).toBeDefined();
    expect(form('recomputed').needle.map((n) => n.accuracy)).toEqual(needle.map((n) => n.accuracy));
    expect(form('recomputed').reach).toEqual(read);
    expect(form('recomputed').gap).toBeUndefined();
  });

  it('has as static what static NTK of the same alpha does', () => {
    const { needle, short } = row('ntk:3');
    expect(form('static').needle.map((n) => n.lossChange)).toEqual(needle.map((n) => n.lossChange));
    expect(form('static').short.lossChange).toEqual(short!.lossChange);
  });

  it('has as static of a candidate what emit writes for vLLM, whatever its factor', async () => {
    const candidates = parseCandidates('dynamic:1');
    const model = requireRope(readConfig(llama2).model);
    const reference = chooseReference(model);
    const { label, specs } = resolveCandidate(candidates[0]!, model, reference);
    const input = emitInputOf(label, model, reference, specs, parseConfig(llama2), 16_384)!;
    const [vllm] = emit(input, ['vllm']);
    const text = vllm?.ok === true ? vllm.settings[0]!.text : '';
    const theta = Number(/"rope_theta":([\d.]+)/.exec(text)?.[1]);
    const { candidates: rows } = await evaluate(llama2, {
      ...base,
      target: 16_384,
      candidates: [...candidates, ...parseCandidates(`theta:${theta}`)],
    });
    const fixed = rows[1]!.forms!.find((f) => f.form === 'static')!;
    expect(fixed.short.lossChange.value).toBeGreaterThan(0);
    expect(fixed.short.lossChange.value).toBeCloseTo(rows[2]!.short!.lossChange.value, 6);
    expect(fixed.needle.map((n) => n.accuracy)).toEqual(rows[2]!.needle.map((n) => n.accuracy));
  });

  it('has as static of a dynamic block in the config what vLLM makes of it', async () => {
    const configured = JSON.stringify({
      ...parseConfig(llama2),
      rope_scaling: { rope_type: 'dynamic', factor: 2 },
    });
    const own = await evaluate(configured, {
      ...base,
      target: 16_384,
      candidates: parseCandidates('as-configured,ntk:3'),
    });
    const fixed = own.candidates[1]!.forms!.find((f) => f.form === 'static')!;
    expect(fixed.short.lossChange).toEqual(own.candidates[2]!.short!.lossChange);
  });

  it('changes nothing inside the window with cached keys, and something beyond', () => {
    const [cached, recomputed] = [form('cached'), form('recomputed')];
    expect(cached.short.lossChange).toEqual({ value: 0, low: 0, high: 0 });
    expect(cached.needle[0]).toEqual(recomputed.needle[0]);
    expect(cached.needle.at(-1)!.languageLoss).not.toEqual(recomputed.needle.at(-1)!.languageLoss);
    expect(cached.gap!.loss.tokens).toBeGreaterThan(4096);
  });

  it('names the largest gap up to the target', () => {
    const { gap, needle } = form('static');
    const known = needle.filter((n) => n.multiple <= 2);
    const all = known.map(
      (n, i) => n.accuracy.value - form('recomputed').needle[i]!.accuracy.value,
    );
    expect(Math.abs(gap!.accuracy.value)).toBeGreaterThanOrEqual(Math.max(...all.map(Math.abs)));
    expect(gap!.accuracy.low).toBeLessThanOrEqual(gap!.accuracy.value);
  });

  it('is not measured in the quick preset', async () => {
    const candidates = parseCandidates('dynamic:2');
    const quick = await evaluate(llama2, { ...base, preset: 'quick', candidates });
    for (const candidate of quick.candidates) {
      expect(candidate.forms).toBeUndefined();
      expect(candidate.offset).toBeUndefined();
    }
  });
});
