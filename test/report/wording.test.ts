import { describe, expect, it } from 'vitest';
import type { DynamicForm } from '../../src/report/probe-parts/serving.js';
import { type CandidateReport, type Report, VERDICTS } from '../../src/report/schema/report.js';
import { adviceWords, nextCommand, verdictSection } from '../../src/report/sections/verdict.js';
import { subjectWords, referenceWords } from '../../src/report/sections/conditions.js';
import { localWords, verdictWords } from '../../src/report/sections/summary.js';
import { candidate, interval, makeReport, short } from '../helpers/report.js';

function advice(code: Report['recommendation']['code'], label: string | null, tied: string[] = []) {
  return adviceWords(makeReport({ recommendation: { code, candidate: label, tied } }));
}

/** All texts of the section, with what must be known besides the advice. */
function verdictText(report: Report): string {
  return verdictSection(report)
    .blocks.flatMap((block) =>
      block.kind === 'text' || block.kind === 'code'
        ? [('lead' in block && block.lead) || '', block.text]
        : [],
    )
    .join(' ');
}

describe('the verdict in words', () => {
  it('names gain, cost and what cannot be told apart', () => {
    expect(advice('use', 'dynamic:4')).toBe(
      'Use dynamic:4: it reaches 131,072 tokens and finds 98 % of the facts there. At lengths ' +
        'that already worked it costs nothing measurable.',
    );
    const recommendation = {
      code: 'use' as const,
      candidate: 'dynamic:4',
      tied: ['yarn:4', 'ntk:4'],
    };
    const words = verdictText(makeReport({ recommendation }));
    expect(words).toContain('yarn:4 and ntk:4 cannot be told apart from it by these contexts.');
    expect(words).toContain(
      'With cached keys, or as one static table (vLLM), it may do far worse.',
    );
  });

  it('names a cost in nats, perplexity and facts, and where it can be avoided', () => {
    expect(advice('use-at-a-cost', 'yarn:4')).toBe(
      'Use yarn:4 if you need 131,072 tokens: it reaches them and finds 98 % of the facts there. ' +
        'At lengths that already worked it costs +0.04 nats (+4 % perplexity; 0.03 to 0.11 on models of 7 B to 0.1 B) and −1.2 pts of ' +
        'facts; nothing up to 32,768 tokens if your server can switch it on for longer ones only.',
    );
  });

  it.each([
    [
      'none-reaches',
      'ntk:4',
      /^No candidate reaches 131,072 tokens\. ntk:4 gets furthest, to 98,304 tokens\..* loses least/,
    ],
    ['none-reaches', null, /^No candidate reaches 131,072 tokens\.$/],
    ['keep', 'none', /^Keep the config as it is\. The model holds at 131,072 tokens/],
    ['unclear', 'linear:4', /^linear:4 looks best, .* reaches 131,072 tokens: it finds \d+ %/],
    [
      'unclear',
      'ntk:4',
      /^ntk:4 looks best, .* it costs \+0\.04 nats \(\+4 % perplexity; .* on models of 7 B to 0\.1 B\)\.$/,
    ],
    ['unclear', null, /open whether any candidate reaches 131,072 tokens\.$/],
  ] as const)('%s, %s', (code, label, says) => {
    expect(advice(code, label)).toMatch(says);
  });

  it('says why a config is not kept whose facts hold', () => {
    const { candidates, ...report } = makeReport();
    const [reference, ...others] = candidates;
    const reach = { multiple: 4, tokens: 131_072, low: 4, high: 4, censored: false };
    const held = { ...report, candidates: [{ ...reference!, reach }, ...others] };
    expect(verdictText(held)).toMatch(/keeps its facts there too, but loses [+−]\d/);
    expect(verdictText({ ...report, candidates })).not.toContain('keeps its facts');
    const nameOf = (changes: Partial<Report['reference']>): string | undefined =>
      /([^.]*(?:\.json)?[^.]*) keeps its facts there/
        .exec(verdictText({ ...held, reference: { ...held.reference, ...changes } }))?.[1]
        ?.trim();
    expect(nameOf({})).toBe('The config as it is');
    expect(nameOf({ base: { argument: 'old.json', sha256: 'a'.repeat(64) } })).toBe(
      'old.json as it is',
    );
    const alternative = { kind: 'configured' as const, trainedWindow: 131_072 };
    expect(nameOf({ alternative })).toBe('The config without its scaling');
  });

  it('says that an unfinished run is one, and asks for nothing', () => {
    const report = makeReport({ status: 'interrupted' });
    expect(verdictText(report)).toMatch(/The run was not finished/);
    expect(nextCommand(report)).toBeUndefined();
  });

  it('promises nothing of a length that no rotating layer sees', () => {
    const [reference] = makeReport().candidates;
    const local = candidate('yarn:4', 'not-needed', 4, short(0, 0));
    const recommendation = { code: 'keep' as const, candidate: 'none', tied: [] };
    const words = adviceWords(makeReport({ recommendation, candidates: [reference!, local] }));
    expect(words).toMatch(/^Keep the config as it is\. No layer that rotates.*no scaling can help/);
    expect(words).not.toContain('holds at');
  });

  it('does not advise to keep a config that departs from the weights', () => {
    const group = { ...makeReport().candidates[1]!.groups[0]!, changed: true };
    const own = {
      ...candidate('as-configured', 'fails-short', 1, short(-0.3, 0.5)),
      groups: [group],
    };
    const recommendation = { code: 'keep' as const, candidate: 'none', tied: [] };
    const [reference] = makeReport().candidates;
    const words = adviceWords(makeReport({ recommendation, candidates: [reference!, own] }));
    expect(words).toMatch(/^Go back to what the weights were trained with\./);
    expect(words).toContain('departs from it, which costs +0.50 nats');
  });

  it('names as a cost what is more than chance', () => {
    const [reference] = makeReport().candidates;
    const priced = (accuracy: number, loss: number): string =>
      adviceWords(
        makeReport({
          recommendation: { code: 'use-at-a-cost', candidate: 'yarn:4', tied: [] },
          candidates: [
            reference!,
            candidate('yarn:4', 'reaches-at-a-cost', 4, short(accuracy, loss)),
          ],
        }),
      );
    expect(priced(0.001, 0.057)).toMatch(
      /it costs \+0\.06 nats \(\+6 % perplexity; [^)]*\); nothing up to/,
    );
    expect(priced(0.001, 0.002)).toContain('it costs nothing measurable');
    expect(priced(-0.02, 0.002)).toContain('it costs −2.0 pts of facts; nothing up to');
  });

  it('says that a candidate is the recommended one under another name', () => {
    const [reference] = makeReport().candidates;
    const own = candidate('yarn:4', 'reaches', 4, short(0, 0));
    const words = verdictText(
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
    expect(words).toContain('yarn:4 is the same scaling. ntk:4 cannot be told apart from it');
  });

  it('says of a dynamic scaling what it does as servers run it', () => {
    const [reference] = makeReport().candidates;
    const own = candidate('dynamic:4', 'reaches', 4, short(0, 0));
    const words = (preset: 'quick' | 'standard', more: Partial<CandidateReport>): string => {
      const report = makeReport({
        recommendation: { code: 'use', candidate: 'dynamic:4', tied: [] },
        candidates: [reference!, { ...own, ...more }],
      });
      return verdictText({ ...report, settings: { ...report.settings, preset } });
    };
    const form = (name: DynamicForm['form'], multiple: number, loss: number): DynamicForm => ({
      form: name,
      short: { accuracyChange: interval(0, 0.01), lossChange: interval(loss, 0.01) },
      needle: [],
      reach: { multiple, tokens: multiple * 32_768, low: 0, high: multiple, censored: false },
    });
    const forms = [form('recomputed', 4, 0), form('cached', 1, 0), form('static', 0, 0.187)];
    expect(words('standard', { forms })).toContain(
      'with cached keys, it reaches 32,768 tokens; as one static table (vLLM), no length, for ' +
        '+0.187 nats at short lengths (0.20 to 0.62 on models of 7 B to 0.1 B).',
    );
    expect(words('quick', {})).toContain('it may do far worse; --preset standard measures it.');
  });

  it('gives the keys to write as JSON', () => {
    const write = {
      rope_scaling: { rope_type: 'yarn', factor: 4 },
      max_position_embeddings: 131_072,
    };
    const report = makeReport({
      recommendation: { code: 'use', candidate: 'yarn:4', tied: [], write },
    });
    const block = verdictSection(report).blocks.find(({ kind }) => kind === 'code');
    expect(block?.kind === 'code' && JSON.parse(`{${block.text}}`)).toEqual(write);
  });

  it('gives the keys of a part of the config by their names there', () => {
    const write = { 'text_config.rope_scaling': { rope_type: 'yarn', factor: 4 } };
    const report = makeReport({
      recommendation: { code: 'use', candidate: 'yarn:4', tied: [], write },
    });
    expect(verdictSection(report).blocks).toContainEqual({
      kind: 'code',
      language: 'json',
      lead: 'Write into config.json, in its text_config:',
      text: '"rope_scaling": {"rope_type":"yarn","factor":4}',
    });
  });
});

describe('the next command', () => {
  const next = (changes: Partial<Report>): string | undefined =>
    nextCommand(makeReport(changes))?.text;
  const source = 'configs/Qwen2.5-7B-Instruct.json';

  it('writes the settings of what is advised, on the same assumptions', () => {
    const recommendation = { code: 'use' as const, candidate: 'yarn:4', tied: [] };
    expect(next({ recommendation })).toBe(`rope-eval emit ${source} yarn:4 --target 131072`);
    const reference = { ...makeReport().reference, evidence: 'option' };
    expect(next({ recommendation, reference })).toMatch(
      / --reference unscaled --trained-window 32768$/,
    );
  });

  it('says for which engines, where no config.json of the model type can express it', () => {
    const recommendation = { code: 'use' as const, candidate: 'yarn:4', tied: [] };
    const lead = (args: object): string | undefined => {
      const finding = { code: 'RE058', severity: 'notice' as const, path: '' };
      const reason = 'phi3 reads longrope alone';
      const findings = [{ ...finding, args: { candidates: ['yarn:4'], reason, ...args } }];
      return nextCommand(makeReport({ recommendation, findings }))?.why;
    };
    expect(lead({ engines: ['vllm', 'llama.cpp'] })).toBe(
      'the settings for vllm and llama.cpp (transformers cannot load it)',
    );
    expect(lead({})).toMatch(/^the settings for other engines/);
    expect(lead({ engines: [] })).toMatch(/no engine can be told it/);
    expect(lead({ candidates: ['linear:4'] })).toMatch(/^the settings to use/);
  });

  it('raises the length where the config is kept and names too few tokens', () => {
    const write = { max_position_embeddings: 131_072 };
    const recommendation = { code: 'keep' as const, candidate: 'none', tied: [], write };
    expect(next({ recommendation })).toBe(`rope-eval emit ${source} as-configured --target 131072`);
    expect(verdictText(makeReport({ recommendation }))).toContain(
      'max_position_embeddings has to be raised',
    );
  });

  it('quotes what a shell would read otherwise', () => {
    const recommendation = { code: 'use' as const, candidate: '{"type":"yarn"}', tied: [] };
    const config = { ...makeReport().config, source: "my model's/config.json" };
    expect(next({ recommendation, config })).toBe(
      `rope-eval emit 'my model'\\''s/config.json' '{"type":"yarn"}' --target 131072`,
    );
  });

  it('asks for more contexts where these do not decide, and for what can be reached', () => {
    const tied = ['ntk:4'];
    expect(next({ recommendation: { code: 'unclear', candidate: 'yarn:4', tied } })).toBe(
      `rope-eval ${source} --target 131072 --preset thorough --candidates yarn:4,ntk:4 --seed 0`,
    );
    expect(next({ recommendation: { code: 'none-reaches', candidate: 'ntk:4', tied: [] } })).toBe(
      `rope-eval ${source} --target 98304 --seed 0`,
    );
    expect(next({ recommendation: { code: 'keep', candidate: 'none', tied: [] } })).toBeUndefined();
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
    expect(subjectWords(makeReport({ subject }))).toContain('outside the range');
  });

  it('does so where it gives advice, whatever that is', () => {
    const subject = { ...makeReport().subject, inRange: false };
    for (const code of ['use', 'keep', 'none-reaches', 'unclear'] as const) {
      const recommendation = { code, candidate: 'ntk:4', tied: [] };
      expect(verdictText(makeReport({ subject, recommendation }))).toContain('on the model itself');
    }
    expect(verdictText(makeReport())).not.toContain('on the model itself');
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
