import { copyFileSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseCandidates } from '../../../src/candidates/definition.js';
import { scalingOf, setUp } from '../../../src/evaluation/setup.js';
import type { Context } from '../../../src/probes/contexts.js';
import { groupsOfSites } from '../../../src/subjects/onnx/compare.js';
import type { SiteInfo } from '../../../src/subjects/onnx/exported.js';
import { readTable, rotaryValues } from '../../../src/subjects/onnx/rotary.js';
import { type DecoderRequest, DecoderSession } from '../../../src/subjects/onnx/session.js';
import { DecoderScorer, TableTreatments } from '../../../src/subjects/onnx/subject.js';
import { build, ROOT } from '../../helpers/built.js';
import { temporaryFolder } from '../../helpers/temporary.js';

const FOLDER = 'fixtures/onnx-decoders';

interface Case {
  readonly invFreq: number[][];
  readonly attentionScaling: number[];
  readonly logProbability: number[];
}

interface Expected {
  readonly tokens: number[];
  readonly shape: { headDim: number; theta: number };
  readonly full: Record<string, Case>;
  readonly 'two-tables': Record<string, Case>;
  readonly '4bit': Record<string, Case>;
}

/** Made by tools/tiny-decoders/make.py with a decoder in numpy. */
const expected = JSON.parse(readFileSync(`${FOLDER}/expected.json`, 'utf8')) as Expected;

interface Forms {
  readonly open: Pick<
    DecoderRequest,
    'threads' | 'positions' | 'layers' | 'scoredRows' | 'heads' | 'keyHeads' | 'headDim'
  >;
  /** Each form, with the answers to compare with and the largest difference allowed. */
  readonly forms: readonly {
    readonly name: string;
    readonly group: 'full' | 'two-tables' | '4bit';
    readonly limit: number;
  }[];
}

/** bench/cuda/forms.js reads it too. */
const { open: sizes, forms } = JSON.parse(readFileSync(`${FOLDER}/forms.json`, 'utf8')) as Forms;

const { tokens } = expected;
const rows = tokens.slice(0, -1).map((_, i) => i);
const targets = tokens.slice(1);

const request = (name: string, memory: number) => ({
  file: `${FOLDER}/${name}.onnx`,
  device: 'cpu' as const,
  memory,
  ...sizes,
});
const open = (name: string, memory = 512) => DecoderSession.open(request(name, memory));

const tablesOf = ({ invFreq, attentionScaling }: Case) =>
  invFreq.map((f, i) => rotaryValues(f, attentionScaling[i]!, tokens.length));

function largestDifference(a: ArrayLike<number>, b: readonly number[]): number {
  return b.reduce((worst, value, i) => Math.max(worst, Math.abs(value - a[i]!)), 0);
}

describe.each(forms)('$name', ({ name, group, limit }) => {
  it(`answers as the reference decoder does for every table, within ${limit}`, async () => {
    const decoder = await open(name);
    try {
      const { sites, editDifference, editLimit } = decoder.info;
      expect(editDifference).toBeLessThanOrEqual(editLimit);
      for (const [label, wanted] of Object.entries(expected[group])) {
        const tables = tablesOf(wanted);
        const { logProbability } = await decoder.run({
          tokens,
          tables: sites.length === 2 ? tables : tables.slice(0, 1),
          rows,
          targets,
        });
        expect(largestDifference(logProbability, wanted.logProbability), label).toBeLessThan(limit);
      }
    } finally {
      await decoder.close();
    }
  });
});

it('rows that layers share belong to all of them, and those chosen by the length are read twice', async () => {
  const decoder = await open('torch-once');
  try {
    expect(decoder.info.sites.map(({ layers }) => layers)).toEqual([[0, 1]]);
    const [{ own, ownLong }] = decoder.info.sites as [SiteInfo];
    expect(readTable(own).invFreq[0]).toBeCloseTo(1);
    expect(readTable(ownLong!).invFreq[0]).toBeCloseTo(0.25);
  } finally {
    await decoder.close();
  }
});

/** Made by tools/tiny-decoders/answers.py with transformers. */
const answers = JSON.parse(readFileSync(`${FOLDER}/transformers.json`, 'utf8')) as {
  readonly scalings: Record<string, object>;
  readonly localTheta: number;
  readonly llama: Record<string, number[]>;
  readonly twoGroups: Record<string, number[]>;
};

describe.each(Object.keys(answers.scalings))('a config with the candidate %s', (label) => {
  const config = JSON.parse(readFileSync(`${FOLDER}/config.json`, 'utf8')) as object;
  const twoGroups = {
    ...config,
    model_type: 'gemma3_text',
    architectures: ['Gemma3ForCausalLM'],
    layer_types: ['sliding_attention', 'full_attention'],
    sliding_window: 8,
    query_pre_attn_scalar: 16,
    rope_local_base_freq: answers.localTheta,
  };
  // A block is itself a candidate. Other names are shorthands.
  const written = label === 'longrope' ? JSON.stringify(answers.scalings[label]) : label;

  /** The inputs of a run: candidate, table of each group, inputs of the graph. */
  async function ask(name: string, of: object): Promise<Float32Array> {
    const setup = setUp(JSON.stringify(of), {
      candidates: parseCandidates(written),
      reference: 'unscaled',
      trainedWindow: 64,
    });
    const decoder = await open(name);
    try {
      const siteGroups = groupsOfSites(setup.model, decoder.info.sites);
      const scaling = scalingOf(setup, setup.candidates[0]);
      const treatment = new TableTreatments().of(scaling, { group: 0, tokens: tokens.length });
      const context = { tokens, rows, targets } as unknown as Context;
      const scorer = new DecoderScorer(decoder, siteGroups, setup.model);
      const asked = { contexts: [context], length: tokens.length, treatment };
      return (await scorer.score(asked))[0]!.logProbability;
    } finally {
      await decoder.close();
    }
  }

  it.each(forms.filter(({ group }) => group === 'full'))(
    'has on $name the answers of transformers, within $limit',
    async ({ name, limit }) => {
      const found = await ask(name, config);
      expect(largestDifference(found, answers.llama[label]!)).toBeLessThan(limit);
    },
  );

  it.each(forms.filter(({ group }) => group === 'two-tables'))(
    'has on the two layer groups of $name the tables of Gemma 3',
    async ({ name, limit }) => {
      const found = await ask(name, twoGroups);
      expect(largestDifference(found, answers.twoGroups[label]!)).toBeLessThan(limit);
    },
  );
});

describe('in a process of its own, where denormal numbers count as zero', () => {
  let openDecoder: typeof import('../../../src/subjects/onnx/subject.js').openDecoder;
  beforeAll(async () => {
    await build();
    const url = pathToFileURL(join(ROOT, 'dist/subjects/onnx/subject.js')).href;
    ({ openDecoder } = (await import(url)) as { openDecoder: typeof openDecoder });
  }, 240_000);

  it.each(forms)('$name answers the same', async ({ name, group }) => {
    const [here, there] = [await open(name), await openDecoder(request(name, 512))];
    try {
      expect(there.info.editDifference).toBeLessThanOrEqual(there.info.editLimit);
      for (const [label, wanted] of Object.entries(expected[group])) {
        const all = tablesOf(wanted);
        const tables = here.info.sites.length === 2 ? all : all.slice(0, 1);
        const run = { tokens, tables, rows, targets };
        const [a, b] = [await here.run(run), await there.run(run)];
        expect(b.logProbability, label).toEqual(a.logProbability);
      }
    } finally {
      await here.close();
      await there.close();
    }
  });
});

it('leaves no links behind, however a run on files behind symbolic links ends', async () => {
  await build();
  const url = pathToFileURL(join(ROOT, 'dist/subjects/onnx/subject.js')).href;
  const { openDecoder } = (await import(
    url
  )) as typeof import('../../../src/subjects/onnx/subject.js');
  const [real, cache] = [await temporaryFolder(), await temporaryFolder()];
  for (const file of ['torch.onnx', 'weights.bin']) {
    copyFileSync(join(FOLDER, file), join(real, file));
    symlinkSync(join(real, file), join(cache, file));
  }
  const before = readdirSync(real);
  const asked = { ...request('torch', 512), file: join(cache, 'torch.onnx') };
  const decoder = await openDecoder(asked);
  // The weights are not copied: the one folder more holds links to the same file.
  const links = readdirSync(real).find((name) => !before.includes(name))!;
  const inode = (path: string) => statSync(path).ino;
  expect(inode(join(real, links, 'weights.bin'))).toBe(inode(join(real, 'weights.bin')));
  await decoder.close();
  expect(readdirSync(real)).toEqual(before);
  await expect(openDecoder({ ...asked, room: 1 })).rejects.toMatchObject({ kind: 'onnx_memory' });
  expect(readdirSync(real)).toEqual(before);
}, 60_000);

it('reads the table that an export has', async () => {
  const decoder = await open('torch-two-tables');
  const [local, global] = decoder.info.sites.map((site) => ({ ...site, ...readTable(site.own) }));
  await decoder.close();
  expect(local!.layers).toEqual([0]);
  expect(global!.layers).toEqual([1]);
  expect(global!.invFreq[3]).toBeCloseTo(10000 ** (-6 / 16), 6);
  expect(local!.invFreq[3]).toBeCloseTo(100 ** (-6 / 16), 6);
  expect(local!.attentionScaling).toBeCloseTo(1, 6);
});

it('reads a context in chunks where scores would not fit, with the same answer', async () => {
  const decoder = await open('torch', 0);
  expect(decoder.info.chunk).toBe(64);
  const { logProbability } = await decoder.run({
    tokens,
    tables: tablesOf(expected.full['own table']!).slice(0, 1),
    rows,
    targets,
  });
  await decoder.close();
  expect(
    largestDifference(logProbability, expected.full['own table']!.logProbability),
  ).toBeLessThan(1e-4);
});

it('reads a folded table that is shorter than the contexts', async () => {
  const decoder = await DecoderSession.open({ ...request('folded', 512), positions: 4096 });
  await decoder.close();
  expect(decoder.info.sites[0]!.own.positions).toBe(512);
});

describe('memory that is expected', () => {
  const infoAt = async (name: string, positions: number) => {
    const decoder = await DecoderSession.open({
      ...request(name, 512),
      positions,
    });
    await decoder.close();
    return decoder.info;
  };
  const at = async (name: string, positions: number) => (await infoAt(name, positions)).cost;

  it('grows with the scores of a chunk where attention keeps them, and only there', async () => {
    const grows = async (name: string) =>
      (await at(name, 16_384)).leastMemory - (await at(name, 256)).leastMemory;
    // 2 heads x 1,024 x 16,384 scores of 4 bytes are 128 MiB.
    expect(await grows('genai')).toBeLessThan(64);
    expect(await grows('genai-rotary')).toBeGreaterThan(100);
  });

  it('counts all scores of a context at once where the graph keeps no cache to read it in chunks', async () => {
    const { chunk, cost } = await infoAt('opset-23-rows', 8192);
    expect(chunk).toBeUndefined();
    // 2 heads x 8,192 x 8,192 scores of 4 bytes are 512 MiB.
    expect(cost.leastMemory).toBeGreaterThan(512);
    const cached = await infoAt('torch', 8192);
    expect(cached.chunk).toBeDefined();
    expect(cached.cost.leastMemory).toBeLessThan(512);
  });

  it('is kept below a limit by smaller chunks, with the same answer', async () => {
    const free = await infoAt('torch', 16_384);
    const room = 300;
    expect(free.cost.memory).toBeGreaterThan(room);
    const decoder = await DecoderSession.open({
      ...request('torch', 512),
      positions: 16_384,
      room,
    });
    const { chunk, cost } = decoder.info;
    expect(chunk!).toBeLessThan(free.chunk!);
    expect(cost.memory).toBeLessThanOrEqual(room);
    const wanted = expected.full['linear']!;
    const tables = tablesOf(wanted).slice(0, 1);
    const { logProbability } = await decoder.run({ tokens, tables, rows, targets });
    await decoder.close();
    expect(largestDifference(logProbability, wanted.logProbability)).toBeLessThan(1e-4);
  });

  it.each([
    ['in chunks', 'torch', 65_536, 210],
    ['in one go', 'opset-23-rows', 8192, 1000],
    ['by attention that keeps no scores', 'genai', 512, 150],
  ])('is refused above a limit, read %s', async (_, name, positions, room) => {
    const { memory } = (await infoAt(name, positions)).cost;
    expect(memory).toBeGreaterThan(room);
    const opened = DecoderSession.open({ ...request(name, 512), positions, room });
    await expect(opened).rejects.toMatchObject({ kind: 'onnx_memory', exitCode: 3 });
    await expect(opened).rejects.toThrow(` ${room} MiB `);
  });

  it('is refused where the machine has not even room for weights and scores', async () => {
    // 2 heads x 2^20 x 2^20 scores of 4 bytes are 8 TiB.
    const opened = DecoderSession.open({ ...request('opset-23-rows', 512), positions: 2 ** 20 });
    await expect(opened).rejects.toMatchObject({ kind: 'onnx_memory', exitCode: 3 });
  });

  it('and multiplications are those of the weights', async () => {
    const { perToken, perPair } = await at('genai', 256);
    // q and o 32 x 32, k and v 32 x 16, gate, up and down 32 x 48, in 2 layers.
    expect(perToken).toBe(2 * (2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 48));
    expect(perPair).toBe(2 * 2 * 16);
  });
});

it.each([
  ['pairs', { pairs: [3] }],
  ['layers', { layers: 1 }],
  ['the cache', { keyHeads: 5, headDim: 7 }],
])('says that a graph is of another model before it counts memory: %s', async (_, wrong) => {
  const opened = DecoderSession.open({ ...request('genai', 512), room: 1, ...wrong });
  await expect(opened).rejects.toMatchObject({ kind: 'onnx_other_model' });
});
