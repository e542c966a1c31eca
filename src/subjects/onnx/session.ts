import { createHash } from 'node:crypto';
import { existsSync, linkSync, lstatSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { loadRuntime } from '../bundled/session.js';
import {
  editedModel,
  ELEMENT,
  type Graph,
  type GraphEdit,
  prunedTo,
  readGraph,
  type Weight,
} from './graph.js';
import { SCORED, scoredHead } from './head.js';
import { errors } from './refusals.js';
import { rotarySites, type RotarySite } from './rotary.js';
import {
  fromHalf,
  layoutOf,
  pairsOnce,
  type RotaryValues,
  type RowLayout,
  siteRows,
} from './tables.js';
import { FileBytes } from './wire.js';

type Runtime = Awaited<ReturnType<typeof loadRuntime>>;
type Feeds = Record<string, Tensor>;

export interface DecoderRequest {
  /** The model file. */
  readonly file: string;
  readonly device: 'cpu' | 'cuda';
  readonly threads: number;
  /** Positions of the export's own table that are read. */
  readonly positions: number;
  /** MiB that the attention scores of one run may take. */
  readonly memory: number;
  /** Of the config: exporters leave some sizes of the cache open. */
  readonly heads: number;
  readonly keyHeads: number;
  readonly headDim: number;
}

/** A rotary table of the graph, as the export has it. */
export interface SiteInfo {
  readonly form: RotarySite['form'];
  readonly layers: readonly number[];
  /** float16 tables are known to three digits. */
  readonly half: boolean;
  readonly own: RotaryValues;
  /** Of a graph that chooses by length: the table for long contexts. */
  readonly ownLong?: RotaryValues;
}

export interface DecoderInfo {
  readonly producer: string;
  /** Of the runtime. */
  readonly onnxruntime: string;
  readonly graphSha256: string;
  readonly weightsSha256: string;
  readonly sites: readonly SiteInfo[];
  /** Element type of the cache, or of the tables where it has none. */
  readonly precision: 'float32' | 'float16';
  readonly quantised: boolean;
  /** Tokens that are read at a time; undefined: a context in one go. */
  readonly chunk?: number;
  /** Largest difference in log-probability between the edited graph and the original. */
  readonly editDifference: number;
  readonly editLimit: number;
}

/** One context. */
export interface DecoderRun {
  readonly tokens: readonly number[];
  /** (sites) */
  readonly tables: readonly RotaryValues[];
  /** Ascending rows from which a target is predicted. */
  readonly rows: readonly number[];
  readonly targets: readonly number[];
}

export interface DecoderScores {
  /** (rows) nats */
  readonly logProbability: Float32Array;
  /** (rows) 1 = the target is the most probable token */
  readonly correct: Uint8Array;
}

/** What an input of the graph is for. */
interface Roles {
  readonly mask: boolean;
  readonly positions: boolean;
  readonly past: readonly {
    readonly input: string;
    readonly output: string;
    readonly dims: number[];
    readonly half: boolean;
  }[];
}

/**
 * Largest difference that an edit may make. In float32 it is the order of a few sums; in float16 and
 * with 4-bit weights the rounding of a hidden state, which a changed fusion of nodes moves.
 */
const EDIT_LIMITS = Object.freeze({ float32: 1e-4, float16: 0.05, quantised: 0.02 });

/** Tokens on which the edited graph is held against the original. */
const PROOF_TOKENS = 48;

/**
 * A user's decoder with its rotary tables as inputs.
 *
 * Weights stay in their files and are mapped; contexts longer than memory allows are read in chunks
 * where the graph keeps a cache of keys.
 */
export class DecoderSession {
  private constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    private readonly sites: readonly (RotarySite & { readonly layout: RowLayout })[],
    private readonly roles: Roles,
    readonly info: DecoderInfo,
    private readonly cleanUp: () => void,
  ) {}

  static async open(request: DecoderRequest): Promise<DecoderSession> {
    const source = new FileBytes(request.file);
    const cleaners: (() => void)[] = [];
    try {
      const graph = readGraph(source);
      const roles = rolesOf(graph, request);
      const folder = weightsFolder(graph, request.file, cleaners);
      const sites = rotarySites(graph, (weight, bytes) => firstBytes(graph, folder, weight, bytes));
      const runtime = await loadRuntime(request.device);
      const create = (edit: GraphEdit) =>
        createSession(runtime, editedModel(graph, edit, basename(request.file)), folder, request);
      // A graph that chooses its table by the length is asked at a short one and at the longest.
      const chooses = sites.some((site) => site.form === 'genai-longrope');
      const [own, long] = [
        await ownTables(runtime, graph, sites, chooses ? PROOF_TOKENS : request.positions, create),
        chooses ? await ownTables(runtime, graph, sites, request.positions, create) : undefined,
      ];
      const head = scoredHead(graph);
      const session = await create({ ...head, ...mergedEdits(sites, head) });
      const laidOut = sites.map((site, i) => ({ ...site, layout: own[i]!.layout }));
      const precision =
        roles.past.some((p) => p.half) || sites.some(isHalf) ? 'float16' : 'float32';
      const quantised = graph.nodes.some((n) => n.op === 'MatMulNBits' || n.op === 'MatMulInteger');
      const chunk = chunkOf(graph, roles, request);
      const info: DecoderInfo = {
        producer: graph.producer,
        onnxruntime: runtime.env.versions.node ?? runtime.env.versions.common,
        ...identityOf(graph, folder, basename(request.file)),
        sites: sites.map((site, i) => ({
          form: site.form,
          layers: site.layers,
          half: isHalf(site),
          own: own[i]!.values,
          ...(long ? { ownLong: long[i]!.values } : {}),
        })),
        precision,
        quantised,
        ...(chunk === undefined ? {} : { chunk }),
        editDifference: Number.NaN,
        editLimit: quantised ? EDIT_LIMITS.quantised : EDIT_LIMITS[precision],
      };
      const open = new DecoderSession(runtime, session, laidOut, roles, info, () =>
        cleaners.forEach((clean) => clean()),
      );
      const editDifference = await open.#proof(graph, create);
      return Object.assign(open, { info: { ...info, editDifference } });
    } catch (error) {
      cleaners.forEach((clean) => clean());
      throw error;
    } finally {
      source.close();
    }
  }

  /** @throws RopeEvalError `onnx_edit_differs` where the edit changed what the model says */
  async #proof(
    graph: Graph,
    create: (edit: GraphEdit) => Promise<InferenceSession>,
  ): Promise<number> {
    const vocabulary = graph.outputs.find((o) => o.name === 'logits')?.dims[2];
    const symbols = typeof vocabulary === 'number' ? Math.min(vocabulary, 1000) : 1000;
    const length = Math.min(PROOF_TOKENS, this.info.sites[0]!.own.positions);
    // A fixed walk through the vocabulary: what it says does not matter, only that both answer alike.
    const tokens = Array.from({ length }, (_, i) => (i * 7919 + 13) % symbols);
    const rows = tokens.slice(0, -1).map((_, i) => i);
    const targets = tokens.slice(1);
    const edited = await this.run({
      tokens,
      tables: this.info.sites.map((site) => site.own),
      rows,
      targets,
    });
    const original = await create({});
    try {
      const feeds = this.#feeds(tokens, 0, tokens.length, undefined);
      const { logits } = await original.run(feeds, ['logits']);
      const values = numbersOf(logits!);
      const width = values.length / tokens.length;
      const difference = rows.reduce((worst, row) => {
        const own = logProbability(values.subarray(row * width, (row + 1) * width), targets[row]!);
        return Math.max(worst, Math.abs(own - edited.logProbability[row]!));
      }, 0);
      if (!(difference <= this.info.editLimit))
        throw errors.notTheSame(difference, this.info.editLimit);
      return difference;
    } finally {
      await original.release();
    }
  }

  /** Scores of one context. */
  async run({ tokens, tables, rows, targets }: DecoderRun): Promise<DecoderScores> {
    const logProbabilities = new Float32Array(rows.length);
    const correct = new Uint8Array(rows.length);
    const step = this.info.chunk ?? tokens.length;
    let past: Feeds | undefined;
    for (let from = 0; from < tokens.length; from += step) {
      const to = Math.min(tokens.length, from + step);
      const first = rows.findIndex((row) => row >= from);
      const scored = first < 0 ? [] : rows.slice(first).filter((row) => row < to);
      const last = to === tokens.length;
      const feeds = {
        ...this.#feeds(tokens, from, to, past),
        ...this.#tables(tables, tokens.length, from, to),
        ...this.#asked(scored, from, targets.slice(Math.max(first, 0))),
      };
      const wanted = [SCORED.logProbability, SCORED.best];
      const out = await this.session.run(
        feeds,
        last ? wanted : [...wanted, ...this.roles.past.map((p) => p.output)],
      );
      if (scored.length > 0) {
        logProbabilities.set(
          numbersOf(out[SCORED.logProbability]!).subarray(0, scored.length),
          first,
        );
        const best = out[SCORED.best]!.data as BigInt64Array;
        scored.forEach((_, i) => {
          correct[first + i] = Number(best[i]) === targets[first + i] ? 1 : 0;
        });
      }
      if (!last) past = Object.fromEntries(this.roles.past.map((p) => [p.input, out[p.output]!]));
    }
    return { logProbability: logProbabilities, correct };
  }

  /** Tokens, mask, positions and the cache of keys, for tokens [from, to). */
  #feeds(tokens: readonly number[], from: number, to: number, past: Feeds | undefined): Feeds {
    const { Tensor } = this.runtime;
    const whole = (length: number, value: (i: number) => number) =>
      new Tensor(
        'int64',
        BigInt64Array.from({ length }, (_, i) => BigInt(value(i))),
        [1, length],
      );
    const none = () =>
      Object.fromEntries(
        this.roles.past.map(({ input, dims, half }) => [
          input,
          half
            ? new Tensor('float16', new Uint16Array(0), dims)
            : new Tensor('float32', new Float32Array(0), dims),
        ]),
      );
    return {
      input_ids: whole(to - from, (i) => tokens[from + i]!),
      ...(this.roles.mask ? { attention_mask: whole(to, () => 1) } : {}),
      ...(this.roles.positions ? { position_ids: whole(to - from, (i) => from + i) } : {}),
      ...(past ?? none()),
    };
  }

  #tables(tables: readonly RotaryValues[], length: number, from: number, to: number): Feeds {
    const feeds: Feeds = {};
    this.sites.forEach((site, i) => {
      const values = tables[i]!;
      const cache = site.shape === 'cache';
      const [first, end] = cache ? [0, length] : [from, to];
      for (const of of ['cos', 'sin'] as const) {
        const rows = siteRows(site, site.layout, values, of, first, end);
        const width = rows.length / (end - first);
        const dims = cache ? [end - first, width] : [1, end - first, width];
        feeds[site[of]] = isHalf(site)
          ? new this.runtime.Tensor('float16', rows as Uint16Array, dims)
          : new this.runtime.Tensor('float32', rows as Float32Array, dims);
      }
    });
    return feeds;
  }

  /** Rows counted from `from`; a chunk in which nothing is scored still needs one. */
  #asked(rows: readonly number[], from: number, targets: readonly number[]): Feeds {
    const { Tensor } = this.runtime;
    const local = rows.length > 0 ? rows.map((row) => row - from) : [0];
    const wanted = rows.length > 0 ? targets.slice(0, rows.length) : [0];
    return {
      [SCORED.rows]: new Tensor('int64', BigInt64Array.from(local, BigInt), [local.length]),
      [SCORED.targets]: new Tensor('int64', BigInt64Array.from(wanted, BigInt), [
        1,
        wanted.length,
        1,
      ]),
    };
  }

  async close(): Promise<void> {
    await this.session.release();
    this.cleanUp();
  }
}

const isHalf = (site: RotarySite): boolean => site.element === ELEMENT.float16;

/** The edits of all sites, beside that of the head. */
function mergedEdits(sites: readonly RotarySite[], head: GraphEdit): GraphEdit {
  return {
    withoutNodes: new Set(sites.flatMap(({ edit }) => [...(edit.withoutNodes ?? [])])),
    withoutWeights: new Set(sites.flatMap(({ edit }) => [...(edit.withoutWeights ?? [])])),
    addedInputs: [
      ...sites.flatMap(({ edit }) => edit.addedInputs ?? []),
      ...(head.addedInputs ?? []),
    ],
  };
}

const PAST = /^past(?:_key_values)?[._](\d+)[._](key|value)$/;

/** @throws RopeEvalError `onnx_input` for an input that nothing is known of */
function rolesOf(graph: Graph, { keyHeads, headDim }: DecoderRequest): Roles {
  const open = [1, keyHeads, 0, headDim];
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const past: Roles['past'][number][] = [];
  let [mask, positions, ids] = [false, false, false];
  for (const { name, element, dims } of graph.inputs) {
    if (graph.weights.has(name)) continue;
    const layer = PAST.exec(name);
    if (name === 'input_ids') ids = true;
    else if (name === 'attention_mask') mask = true;
    else if (name === 'position_ids') positions = true;
    else if (layer) {
      const output = `present.${layer[1]}.${layer[2]}`;
      if (!outputs.has(output)) throw errors.input(name, `has no output "${output}" to go on from`);
      const sizes = dims.map((d, i) => (typeof d === 'number' && d > 0 ? d : (open[i] ?? 0)));
      past.push({ input: name, output, dims: sizes, half: element === ELEMENT.float16 });
    } else
      throw errors.input(
        name,
        'is not one that is known: input_ids, attention_mask, position_ids, past_key_values',
      );
  }
  if (!ids) throw errors.input('input_ids', 'is missing');
  return { mask, positions, past };
}

/** Heads x bytes of one score, and copies of it that a softmax holds. */
const BYTES_A_SCORE = 12;
const SMALLEST_CHUNK = 64;

/** Attention that keeps no matrix of scores reads a context at once; any other in chunks. */
function chunkOf(graph: Graph, roles: Roles, request: DecoderRequest): number | undefined {
  const fused = graph.nodes.some(
    (n) => n.op === 'GroupQueryAttention' || n.op === 'MultiHeadAttention',
  );
  if (fused || roles.past.length === 0) return undefined;
  const chunk = Math.floor(
    (request.memory * 2 ** 20) / (request.heads * BYTES_A_SCORE * request.positions),
  );
  return Math.max(SMALLEST_CHUNK, Math.min(1024, chunk));
}

/**
 * The folder that weights are mapped from. The runtime refuses symbolic links, which a hub's cache is
 * made of: those files are linked hard into a folder of their own.
 */
function weightsFolder(graph: Graph, file: string, cleaners: (() => void)[]): string {
  const folder = dirname(file);
  const names = new Set([basename(file)]);
  for (const { external } of graph.weights.values()) {
    if (!external) continue;
    const name = normalize(external.location);
    if (name.startsWith('..') || name.startsWith('/') || name === '.')
      throw errors.external(external.location, 'lie outside of the model’s folder');
    names.add(name);
  }
  for (const name of names)
    if (!existsSync(join(folder, name)))
      throw errors.external(name, 'are missing beside the model');
  if (![...names].some((name) => lstatSync(join(folder, name)).isSymbolicLink())) return folder;
  const own = mkdtempSync(
    join(existsSync(folder) ? dirname(realpathSync(file)) : tmpdir(), '.rope-eval-'),
  );
  cleaners.push(() => rmSync(own, { recursive: true, force: true }));
  for (const name of names) {
    try {
      linkSync(realpathSync(join(folder, name)), join(own, basename(name)));
    } catch {
      throw errors.external(name, 'are behind a symbolic link and could not be linked hard');
    }
  }
  return own;
}

/** Bytes of each sample of a file, and how many are taken. */
const SAMPLE_BYTES = 1 << 16;
const SAMPLES = 64;

/**
 * What tells one model from another: the bytes of its structure, and sizes and evenly spread samples
 * of all its files. Reading gigabytes whole would take longer than some answers.
 */
function identityOf(
  graph: Graph,
  folder: string,
  file: string,
): Pick<DecoderInfo, 'graphSha256' | 'weightsSha256'> {
  const structure = createHash('sha256');
  for (const node of graph.nodes) structure.update(node.bytes);
  const weights = createHash('sha256');
  const names = [...graph.weights.values()].flatMap((w) =>
    w.external ? [normalize(w.external.location)] : [],
  );
  for (const name of [...new Set([file, ...names])].sort()) {
    const bytes = new FileBytes(join(folder, name));
    try {
      weights.update(`${bytes.size}\n`);
      const length = Math.min(SAMPLE_BYTES, bytes.size);
      for (let i = 0; i < SAMPLES; i++)
        weights.update(bytes.read(Math.floor(((bytes.size - length) * i) / (SAMPLES - 1)), length));
    } finally {
      bytes.close();
    }
  }
  return { graphSha256: structure.digest('hex'), weightsSha256: weights.digest('hex') };
}

function firstBytes(
  graph: Graph,
  folder: string,
  weight: Weight,
  bytes: number,
): Buffer | undefined {
  const { raw, external } = weight;
  if (raw) return raw.length < bytes ? undefined : graph.source.read(raw.from, bytes);
  if (!external) return undefined;
  const file = new FileBytes(join(folder, external.location));
  try {
    return Buffer.from(file.read(external.offset, bytes));
  } finally {
    file.close();
  }
}

async function createSession(
  runtime: Runtime,
  model: Buffer,
  folder: string,
  { device, threads }: DecoderRequest,
): Promise<InferenceSession> {
  return runtime.InferenceSession.create(model, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  });
}

/**
 * The table that the export itself has, at each site: read by running the part of the graph that
 * makes it, so that a table is what the runtime would use, however it was written.
 */
async function ownTables(
  runtime: Runtime,
  graph: Graph,
  sites: readonly RotarySite[],
  positions: number,
  create: (edit: GraphEdit) => Promise<InferenceSession>,
): Promise<{ values: RotaryValues; layout: RowLayout }[]> {
  const names = sites.flatMap(({ cos, sin }) => [cos, sin]);
  const { inputs, withoutNodes, withoutWeights } = prunedTo(graph, names);
  // A weight cannot be an output itself: it is handed on by a node.
  const session = await create({
    withoutNodes,
    withoutWeights,
    withoutInputs: new Set(graph.inputs.map((p) => p.name).filter((name) => !inputs.has(name))),
    addedNodes: names.map((name) => ({ op: 'Identity', inputs: [name], outputs: [`own/${name}`] })),
    outputs: sites.flatMap((site) =>
      [site.cos, site.sin].map((name) => ({
        name: `own/${name}`,
        element: site.element,
        dims: site.shape === 'cache' ? ['p', 'w'] : [1, 'p', 'w'],
      })),
    ),
  });
  try {
    const { Tensor } = runtime;
    const whole = (value: (i: number) => number) =>
      new Tensor(
        'int64',
        BigInt64Array.from({ length: positions }, (_, i) => BigInt(value(i))),
        [1, positions],
      );
    const feeds: Feeds = {};
    for (const name of inputs) {
      if (name === 'position_ids') feeds[name] = whole((i) => i);
      else if (name === 'attention_mask') feeds[name] = whole(() => 1);
      else if (name === 'input_ids') feeds[name] = whole(() => 0);
      else throw errors.rotaryNode(sites[0]!.cos, `depends on the input "${name}"`);
    }
    const out = await session.run(feeds);
    return sites.map((site) => {
      const [cos, sin] = [out[`own/${site.cos}`]!, out[`own/${site.sin}`]!];
      const width = cos.dims.at(-1)!;
      const [c, s] = [numbersOf(cos), numbersOf(sin)];
      const layout = site.shape === 'cache' ? 'once' : layoutOf(c, width);
      if (!layout)
        throw errors.rotaryNode(site.cos, 'repeats its pairs in a way that is not known');
      const values = {
        positions: c.length / width,
        pairs: layout === 'once' ? width : width / 2,
        cos: pairsOnce(c, width, layout),
        sin: pairsOnce(s, width, layout),
      };
      return { values, layout };
    });
  } finally {
    await session.release();
  }
}

/** float values of a tensor of float32 or float16. */
function numbersOf(tensor: Tensor): Float32Array {
  const { data } = tensor;
  if (data instanceof Float32Array) return data;
  return fromHalf(data as Uint16Array);
}

/** @param logits (vocabulary) */
function logProbability(logits: Float32Array, target: number): number {
  let top = -Infinity;
  for (const value of logits) if (value > top) top = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - top);
  return logits[target]! - top - Math.log(sum);
}
