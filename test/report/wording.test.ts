import { describe, expect, it } from 'vitest';
import type { DynamicForm } from '../../src/report/schema/candidate.js';
import { type CandidateReport, type Report, VERDICTS } from '../../src/report/schema/report.js';
import { recommendationWords, verdictSection } from '../../src/report/sections/verdict.js';
import { probeModelWords, referenceWords } from '../../src/report/sections/conditions.js';
import { localWords, verdictWords } from '../../src/report/sections/summary.js';
import { candidate, interval, makeReport, short } from '../helpers/report.js';

function advice(code: Report['recommendation']['code'], label: string | null, tied: string[] = []) {
  return recommendationWords(makeReport({ recommendation: { code, candidate: label, tied } }));
}

describe('the recommendation in words', () => {
  it('names gain, cost and what cannot be told apart', () => {
    expect(advice('use', 'dynamic:4', ['yarn:4', 'ntk:4'])).toBe(
      'Use dynamic:4: it reaches 131,072 tokens (4x), where it finds 98 % of the facts, at no ' +
        'measurable cost at the lengths that already worked. This holds where all keys are ' +
        'recomputed at each length. With cached keys, or as one static table (vLLM), it may do ' +
        'far worse. yarn:4 and ntk:4 cannot be told ' +
        'apart from it at this number of samples.',
    );
  });

  it('names a cost', () => {
    expect(advice('use-at-a-cost', 'yarn:4')).toContain(
      'with +0.042 nats of loss and −1.2 pts of accuracy',
    );
  });

  it.each([
    [
      'none-reaches',
      'ntk:4',
      /No candidate reaches 131,072 tokens. ntk:4 comes furthest, to 98,304 tokens. .+ loses least over/,
    ],
    ['none-reaches', null, /^No candidate reaches 131,072 tokens\.$/],
    ['keep', 'none', /^Keep the config as it is/],
    ['unclear', 'linear:4', /^linear:4 scores best: .* at 131,072 tokens.* do not decide.*--pres/],
    [
      'unclear',
      'ntk:4',
      /^ntk:4 may reach 131,072 tokens: .* do not decide.*--preset thor.* linear:4 loses least over/,
    ],
    ['unclear', null, /do not decide whether any candidate reaches 131,072 tokens.*--preset thor/],
  ] as const)('%s, %s', (code, label, says) => {
    expect(advice(code, label)).toMatch(says);
  });

  it('says why a config is not kept whose facts hold', () => {
    const { candidates, ...report } = makeReport();
    const [reference, ...others] = candidates;
    const reach = { multiple: 4, tokens: 131_072, low: 4, high: 4, censored: false };
    const held = { ...report, candidates: [{ ...reference!, reach }, ...others] };
    expect(recommendationWords(held)).toMatch(/keeps its facts there too, but its loss is [+−]\d/);
    expect(recommendationWords({ ...report, candidates })).not.toContain('keeps its facts');
  });

  it('says that an unfinished run is one', () => {
    const report = makeReport({ status: 'interrupted' });
    expect(recommendationWords(report)).toMatch(/^The run was not finished/);
  });

  it('does not ask for more samples where the run was not finished', () => {
    const recommendation = { code: 'unclear' as const, candidate: null, tied: [] };
    const report = makeReport({ status: 'interrupted', recommendation });
    expect(recommendationWords(report)).toMatch(/whether any candidate reaches 131,072 tokens\.$/);
  });

  it('promises nothing of a length that no rotating layer sees', () => {
    const [reference] = makeReport().candidates;
    const local = candidate('yarn:4', 'not-needed', 4, short(0, 0));
    const recommendation = { code: 'keep' as const, candidate: 'none', tied: [] };
    const words = recommendationWords(
      makeReport({ recommendation, candidates: [reference!, local] }),
    );
    expect(words).toMatch(/^Keep the config as it is: all layers that rotate.*no scaling helps/);
    expect(words).not.toContain('needed');
  });

  it('does not advise to keep a config that departs from the weights', () => {
    const group = { ...makeReport().candidates[1]!.groups[0]!, changed: true };
    const own = {
      ...candidate('as-configured', 'fails-short', 1, short(-0.3, 0.5)),
      groups: [group],
    };
    const recommendation = { code: 'keep' as const, candidate: 'none', tied: [] };
    const [reference] = makeReport().candidates;
    const words = recommendationWords(
      makeReport({ recommendation, candidates: [reference!, own] }),
    );
    expect(words).toMatch(/^Keep what the weights were trained with: no scaling is needed/);
    expect(words).toMatch(/The config departs from it, with \+0\.500 nats/);
  });

  it('names as a cost what is more than chance', () => {
    const [reference] = makeReport().candidates;
    const priced = (accuracy: number, loss: number): string =>
      recommendationWords(
        makeReport({
          recommendation: { code: 'use-at-a-cost', candidate: 'yarn:4', tied: [] },
          candidates: [
            reference!,
            candidate('yarn:4', 'reaches-at-a-cost', 4, short(accuracy, loss)),
          ],
        }),
      );
    expect(priced(0.001, 0.057)).toContain('for nothing: with +0.057 nats of loss at the lengths');
    expect(priced(0.001, 0.002)).toContain('with +0.002 nats of loss and +0.1 pts of accuracy');
  });

  it('says that a candidate is the recommended one under another name', () => {
    const [reference] = makeReport().candidates;
    const own = candidate('yarn:4', 'reaches', 4, short(0, 0));
    const words = recommendationWords(
      makeReport({
        recommendation: { code: 'use', candidate: 'as-configured', tied: ['yarn:4', 'ntk:4'] },
        candidates: [
          reference!,
          { ...own, label: 'as-configured' },
          own,
          candidate('ntk:4', 'reaches', 4, short(0, 0.001)),
        ],
      }),
    );
    expect(words).toContain(
      'yarn:4 is the same scaling. ntk:4 cannot be told apart from it at this number of samples.',
    );
  });

  it('says of a dynamic scaling what it does as servers run it', () => {
    const [reference] = makeReport().candidates;
    const own = candidate('dynamic:4', 'reaches', 4, short(0, 0));
    const words = (preset: 'quick' | 'standard', more: Partial<CandidateReport>): string => {
      const report = makeReport({
        recommendation: { code: 'use', candidate: 'dynamic:4', tied: [] },
        candidates: [reference!, { ...own, ...more }],
      });
      return recommendationWords({ ...report, settings: { ...report.settings, preset } });
    };
    const form = (name: DynamicForm['form'], multiple: number, loss: number): DynamicForm => ({
      form: name,
      short: { accuracyChange: interval(0, 0.01), lossChange: interval(loss, 0.01) },
      needle: [],
      reach: { multiple, tokens: multiple * 32_768, low: 0, high: multiple, censored: false },
    });
    const forms = [form('recomputed', 4, 0), form('cached', 1, 0), form('static', 0, 0.187)];
    expect(words('standard', { forms })).toContain(
      'With cached keys, as while text is generated, it reaches 32,768 tokens; as one static ' +
        'table, as in vLLM, no length, with +0.187 nats of loss at short lengths.',
    );
    expect(words('quick', {})).toMatch(/it may do far worse; --preset standard measures it\.$/);
  });

  it('gives the keys to write as JSON', () => {
    const write = {
      rope_scaling: { rope_type: 'yarn', factor: 4 },
      max_position_embeddings: 131_072,
    };
    const report = makeReport({
      recommendation: { code: 'use', candidate: 'yarn:4', tied: [], write },
    });
    const { blocks } = verdictSection(report);
    const block = blocks.find(({ kind }) => kind === 'code');
    expect(block?.kind === 'code' && JSON.parse(`{${block.text}}`)).toEqual(write);
    expect(JSON.stringify(blocks.at(-1))).toMatch(
      /: rope-eval emit <config> yarn:4 --target 131072/,
    );
  });

  it('gives the keys of a part of the config by their names there', () => {
    const write = { 'text_config.rope_scaling': { rope_type: 'yarn', factor: 4 } };
    const report = makeReport({
      recommendation: { code: 'use', candidate: 'yarn:4', tied: [], write },
    });
    const { blocks } = verdictSection(report);
    expect(blocks.filter(({ kind }) => kind === 'code')).toEqual([
      { kind: 'code', language: 'json', text: '"rope_scaling": {"rope_type":"yarn","factor":4}' },
    ]);
    expect(JSON.stringify(blocks)).toContain('Write into config.json, in its text_config:');
  });
});

describe('assumptions in words', () => {
  it('cites the evidence for a scaling that was trained in', () => {
    const reference = {
      ...makeReport().reference,
      kind: 'configured' as const,
      evidence: 'llama3',
    };
    expect(referenceWords(makeReport({ reference }))[0]).toMatch(/with the scaling.*arXiv/);
  });

  it('names the other reading and how to evaluate it', () => {
    const alternative = { kind: 'configured' as const, trainedWindow: 131_072 };
    const reference = { ...makeReport().reference, evidence: 'overlay', alternative };
    expect(referenceWords(makeReport({ reference }))[1]).toContain(
      '--reference configured --trained-window 131072',
    );
  });

  it('warns where no probe model has the geometry', () => {
    const subject = { ...makeReport().subject, inRange: false };
    expect(probeModelWords(makeReport({ subject }))).toContain('outside the range');
  });

  it('does so where it gives advice, whatever that is', () => {
    const subject = { ...makeReport().subject, inRange: false };
    for (const code of ['use', 'keep', 'none-reaches', 'unclear'] as const) {
      const recommendation = { code, candidate: 'ntk:4', tied: [] };
      const words = recommendationWords(makeReport({ subject, recommendation }));
      expect(words).toContain('make sure of it on the model itself');
    }
    expect(advice('keep', 'none')).not.toContain('on the model itself');
  });

  it('tells what a scaling costs in local layers', () => {
    const local = [{ layerType: 'sliding_attention', window: 512, short: short(-0.1, 0.2) }];
    const candidates = [{ ...candidate('linear:4', 'reaches', 4, short(0, 0)), local }];
    expect(localWords(makeReport({ candidates }))[0]).toMatch(/512 tokens.*\+0\.200 nats/);
  });
});

it('has words for every verdict', () => {
  for (const verdict of VERDICTS) expect(verdictWords(verdict)).toMatch(/^[a-z]/);
});
