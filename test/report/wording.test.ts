import { describe, expect, it } from 'vitest';
import { GeometryReportSchema } from '../../src/geometry/schema.js';
import type { Offset } from '../../src/report/probe-parts/offset.js';
import type { DynamicForm } from '../../src/report/probe-parts/serving.js';
import { type CandidateReport, type Report, VERDICTS } from '../../src/report/schema/report.js';
import { adviceWords, nextCommand, verdictSection } from '../../src/report/sections/verdict.js';
import { referenceWords, subjectWords } from '../../src/report/sections/conditions.js';
import { localWords, verdictWords } from '../../src/report/sections/summary.js';
import { textOf } from '../../src/report/terminal.js';
import { exactLines } from '../../src/report/sections/exact.js';
import { reportSections } from '../../src/report/sections/index.js';
import { qwenGeometry } from '../helpers/geometry.js';
import { candidate, interval, makeReport, OWN_DECODER, probeOf, short } from '../helpers/report.js';

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

  it('names what clearly loses less, while its reach is open', () => {
    const best = { ...candidate('llama3:4', 'reaches-at-a-cost', 4, short(0, 0.18)), score: 0.3 };
    const open = { ...candidate('yarn:4', 'unclear', 4, short(0, 0.05)), score: 0.07 };
    const words = (rival: CandidateReport, preset: Report['settings']['preset'] = 'standard') =>
      adviceWords(
        makeReport({
          candidates: [candidate('none', 'reference', 1, short(0, 0)), best, rival],
          recommendation: { code: 'use-at-a-cost', candidate: 'llama3:4', tied: [] },
          settings: { ...makeReport().settings, preset },
        }),
      );
    const said = 'yarn:4 loses less, but its reach is left open';
    expect(words(open)).toContain(`${said}; --preset thorough may decide.`);
    expect(words(open, 'thorough')).toContain(`${said}.`);
    for (const other of [
      { ...open, score: 0.31 },
      { ...open, short: short(0, 0.175) },
      { ...open, verdict: 'falls-short' as const },
    ]) {
      expect(words(other)).not.toContain('loses less');
    }
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

  it('says where facts cannot judge', () => {
    const lost = { multiple: 0, tokens: 0, low: 0, high: 0, censored: false };
    const own = makeReport({ subject: OWN_DECODER });
    const candidates = own.candidates.map((row) => ({ ...row, reach: lost }));
    const recommendation = { code: 'none-reaches' as const, candidate: null, tied: [] };
    const words = adviceWords({ ...own, candidates, recommendation });
    expect(words).toMatch(/too few facts within its own trained window/);
    expect(words).toMatch(/nats a token over all lengths/);
  });

  it('gives a setting for each length, where a server can choose', () => {
    const { recommendation } = makeReport();
    const profiles = [
      { upTo: 32_768, candidate: 'none', factor: 1 },
      { upTo: 65_536, candidate: 'yarn:2', factor: 2, measured: false as const },
      { upTo: 131_072, candidate: null },
    ];
    const words = verdictText(makeReport({ recommendation: { ...recommendation, profiles } }));
    expect(words).toContain('32k: none; 64k: yarn:2 (not measured); 128k: nothing holds');
    expect(words).toContain('per request');
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

  it('are those of the reading that was taken', () => {
    expect(referenceWords(makeReport())[0]).toMatch(
      /^Assumes weights trained without a scaling, on 32,768 tokens/,
    );
  });

  it('name the part of a head that rotates, and the pairs that were held', () => {
    const { reference } = makeReport();
    const subject = probeOf(makeReport());
    const part = makeReport({
      subject: { ...subject, rotaryShare: 0.25 },
      reference: { ...reference, rotaryShare: 0.25 },
    });
    expect(subjectWords(part)).toContain('25 % of each head rotating (here 25 %)');
    expect(subjectWords(makeReport({ subject: { ...subject, heldPairs: 10 } }))).toContain(
      'its 10 slowest pairs, slower than any of this model, held within the trained angles',
    );
  });

  it('name the user’s own weights where those were asked', () => {
    const sections = reportSections(makeReport({ subject: OWN_DECODER }));
    const text = textOf(sections, { color: false, columns: 100, plots: false });
    expect(text).toMatch(/Measured: on your own weights/);
    expect(text).not.toMatch(/ranks RoPE geometry/);
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

/** All texts of a section, and its title. */
function sectionText(report: Report, id: string): string {
  const section = reportSections(report).find((each) => each.id === id)!;
  const texts = section.blocks.flatMap((block) => (block.kind === 'text' ? [block.text] : []));
  return [section.title ?? '', ...texts].join(' ');
}

describe('what is exact, in words', () => {
  const geometry = GeometryReportSchema.parse(qwenGeometry('dynamic:4,yarn:4'));

  it('says how many pairs never turn, and how far each candidate stretches them', () => {
    const lines = exactLines(makeReport());
    expect(lines[0]).toMatch(/38 % of the frequency range never makes a full turn.*0\.380/);
    expect(lines.at(-1)).toMatch(/^yarn:4: .*4x slower.*attention scaling 1\.1386$/);
  });

  it('gives the price of the longer window where the geometry is there', () => {
    // 28 layers x 2 x 4 heads x 128 dimensions x 2 bytes = 56 kB a token.
    expect(exactLines(makeReport({ geometry })).at(-1)).toMatch(
      /KV cache of one sequence in bfloat16: 1\.75 GiB at 32,768 tokens, 7 GiB at 131,072/,
    );
  });

  it('gives it once where the target is the trained window', () => {
    const report = makeReport({ geometry });
    const { trainedWindow } = report.reference;
    const atHome = { ...report, target: { ...report.target, tokens: trainedWindow } };
    expect(exactLines(atHome).at(-1)).toBe(
      'KV cache of one sequence in bfloat16: 1.75 GiB at 32,768 tokens.',
    );
  });
});

it.each([
  ['interrupted', 'Interrupted: only the finished measurements'],
  ['failed', 'The runtime failed before the end: only the finished measurements'],
] as const)('a report of a run that %s says so', (status, words) => {
  expect(verdictText(makeReport({ status }))).toContain(words);
});

it('the pictures have titles', () => {
  const text = textOf(reportSections(makeReport()), { color: false, columns: 100, plots: true });
  expect(text).toMatch(/Facts found, %, by length and distance\ndynamic:4\n/);
});

it('the parts of a loss, and tables of what servers do, have titles', () => {
  const parts = { total: interval(1, 0.1), rope: interval(1, 0.1), dilution: interval(0, 0.1) };
  const reading = { accuracy: interval(0.9, 0.1), languageLoss: interval(1, 0.1) };
  const length = { tokens: 4096, short: reading, long: reading };
  const jump = { recomputed: reading, cached: reading, stale: reading };
  const above = { ...length, cached: reading };
  const form: DynamicForm = {
    form: 'recomputed',
    short: { accuracyChange: interval(0, 0), lossChange: interval(0, 0) },
    needle: [],
    reach: { multiple: 4, tokens: 131_072, low: 3, high: 4, censored: true },
  };
  const report = makeReport({
    candidates: makeReport().candidates.map((each) => ({
      ...each,
      ...(each.label === 'yarn:4' && { parts }),
      ...(each.label === 'dynamic:4' && { forms: [form] }),
      ...(each.label === 'none' && {
        switch: { tokens: 4096, below: length, at: length, above, ...jump },
      }),
    })),
  });
  const titles = reportSections(report).map(({ title }) => title);
  expect(titles).toEqual(
    expect.arrayContaining([
      'Where the facts’ loss at 128k comes from, nats',
      'dynamic:4 as servers do it',
      'none at the switch, 4,096 tokens',
    ]),
  );
});

describe('the offset', () => {
  const shown = (changes: Readonly<Record<string, Partial<CandidateReport>>>): Report =>
    makeReport({
      candidates: makeReport().candidates.map((each) => ({ ...each, ...changes[each.label] })),
    });
  const offset = (verdict: Offset['verdict'], maxDrift: number): Offset => ({
    shift: { tokens: 98_304, probeTokens: 768 },
    maxDrift,
    rmsDrift: maxDrift / 4,
    verdict,
  });

  it('names who changes by definition', () => {
    const report = shown({
      'yarn:4': { offset: offset('none', 2e-5) },
      'dynamic:4': { offset: offset('by-definition', 13.1) },
    });
    const text = sectionText(report, 'offset');
    expect(text).toContain('98,304 tokens further on, dynamic:4 changes by definition');
    expect(text).toContain('the others do not change (0.00002 nats at most, rounding)');
  });

  it('calls drift a defect', () => {
    const drifts = { offset: offset('drifts', 0.2) };
    expect(sectionText(shown({ 'yarn:4': drifts }), 'offset')).toContain(
      'yarn:4 drifts by up to 0.20 nats, a defect',
    );
    expect(sectionText(shown({ 'yarn:4': drifts, 'ntk:4': drifts }), 'offset')).toContain(
      'ntk:4 and yarn:4 drift by up to',
    );
  });
});
