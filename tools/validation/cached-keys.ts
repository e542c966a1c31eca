import { parseArgs } from 'node:util';
import { drawContexts, STREAM } from '../../src/evaluation/series.js';
import type { ProbeTable } from '../../src/geometry/transfer.js';
import { average, type Cluster } from '../../src/probes/measure.js';
import { cachedTable, type RotaryInputs } from '../../src/subjects/bundled/engine.js';
import { openSession } from '../../src/subjects/bundled/session.js';
import { ContextScorer } from '../../src/subjects/bundled/subject.js';
import type { Situation } from '../../src/subjects/subject.js';
import { benchOf, scalingOf } from './bench.js';
import { LLAMA1 } from './reach.js';

// npx tsx tools/validation/cached-keys.ts [--member c0.38-s1 --contexts 12]: measures how cached
// keys affect dynamic NTK on a probe model, in the modes of tools/real-text/cached_keys.py.

const { values } = parseArgs({
  options: {
    member: { type: 'string', default: 'c0.38-s1' },
    contexts: { type: 'string', default: '12' },
  },
});

const bench = await benchOf(LLAMA1, { jobs: 1, seed: 1, member: values.member });
const { subject, geometry } = bench;
const { window, texts, lossScale } = subject;
const engine = await openSession({ member: values.member, device: 'cpu', threads: 1 });

/** The context length, in probe tokens, whose table each index uses for its query and its key. */
interface Mode {
  readonly query: (index: number, length: number) => number;
  readonly key: (index: number, length: number) => number;
}
const alike = (of: Mode['query']): Mode => ({ query: of, key: of });
const CHUNK = window / 4;
const MODES: Readonly<Record<string, Mode>> = {
  'at once': alike((_, length) => length),
  'by token': alike((index) => index + 1),
  'by chunk': alike((index, length) => Math.min(length, Math.ceil((index + 1) / CHUNK) * CHUNK)),
  generated: alike((index) => Math.max(window, index + 1)),
  stale: alike((index, length) => (index + 1 <= window ? length : index + 1)),
  'one query': { query: (_, length) => length, key: (index) => index + 1 },
};

/** The probe's table of dynamic NTK for a context of this many probe tokens. */
function tables(factor: number): (tokens: number) => ProbeTable {
  const known = new Map<number, ProbeTable>();
  const spec = { type: 'dynamic', factor, maxPositions: geometry.window, theta: geometry.theta };
  const scaling = {
    label: `dynamic:${factor}`,
    groups: [scalingOf(geometry, { ...spec, type: 'dynamic', rotaryDim: geometry.rotaryDim })],
  };
  return (tokens) => {
    const at: Situation = { group: 0, tokens: Math.round((tokens / window) * geometry.window) };
    const table = known.get(tokens) ?? subject.table(scaling, at);
    known.set(tokens, table);
    return table;
  };
}

function rotaryOf(mode: Mode, at: (tokens: number) => ProbeTable, length: number): RotaryInputs {
  const of = (tokens: Mode['query']): RotaryInputs =>
    cachedTable(Array.from({ length }, (_, index) => at(tokens(index, length))));
  const [queries, keys] = [of(mode.query), of(mode.key)];
  return { ...queries, kCos: keys.kCos, kSin: keys.kSin };
}

/**
 * Language loss of the last half window, and of all tokens, above the source's own entropy; nats.
 */
async function losses(
  rotary: RotaryInputs,
  length: number,
): Promise<{ last: number; all: number }> {
  const scorer = new ContextScorer({ ...engine, run: (batch) => engine.run({ ...batch, rotary }) });
  const draw = { seed: 1, stream: STREAM.ladderText, count: Number(values.contexts) };
  const contexts = drawContexts(draw, (s, i) =>
    texts.text({ rungs: [length], span: length }, s, i),
  );
  // The tables are set above, so any treatment will do here.
  const treatment = { digest: '', rotation: { invFreq: new Float64Array(1), attentionScaling: 1 } };
  const all: Cluster[] = [];
  const last: Cluster[] = [];
  for (const context of contexts) {
    const [scores] = await scorer.score({ contexts: [context], length, treatment });
    context.items.forEach(({ kind, surprise }, i) => {
      if (kind !== 'language') return;
      const word = { sum: lossScale * (-scores!.logProbability[i]! - surprise), count: 1 };
      all.push(word);
      if (context.rows[i]! >= length - window / 2) last.push(word);
    });
  }
  return { last: average(last), all: average(all) };
}

const within = await losses(rotaryOf(MODES['at once']!, tables(1), window), window);
console.log('| length | dynamic | mode | last half window | all tokens |');
console.log('| --- | --- | --- | --- | --- |');
for (const windows of [2, 4])
  for (const factor of [1, 2, 4])
    for (const [name, mode] of Object.entries(MODES)) {
      const length = windows * window;
      const { last, all } = await losses(rotaryOf(mode, tables(factor), length), length);
      const change = (x: number, y: number): string => `+${(x - y).toFixed(2)}`.replace('+-', '−');
      console.log(
        `| ${windows}x | ${factor} | ${name} | ${change(last, within.last)} | ${change(all, within.all)} |`,
      );
    }
await engine.close();
