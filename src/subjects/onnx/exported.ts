import { createHash, randomUUID } from 'node:crypto';
import { existsSync, linkSync, lstatSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf, type RopeEvalError } from '../../errors.js';
import type { Provider } from '../../probes/presets.js';
import type { Feeds, Runtime } from '../bundled/engine.js';
import { loadRuntime } from '../bundled/session.js';
import {
  bytesOf,
  editedModel,
  ELEMENT,
  type Graph,
  type GraphEdit,
  type Port,
  prunedTo,
  readGraph,
  type Weight,
} from './graph.js';
import { errors } from './refusals.js';
import {
  fromHalf,
  layoutOf,
  pairsOnce,
  type RotarySite,
  rotarySites,
  type RotaryValues,
  type RowLayout,
} from './rotary.js';
import { FileBytes } from './wire.js';

/** Which export to open, and how. */
export interface ExportRequest {
  /** The model file. */
  readonly file: string;
  readonly device: Provider;
  readonly threads: number;
  /** How many positions of the export's own table are read. */
  readonly positions: number;
  /** The folder to make for hard links if the files are behind symbolic links; default: a new one. */
  readonly links?: string;
  /** Like `EngineRequest.flushesDenormals`; only for a process that does nothing else. */
  readonly flushesDenormals?: boolean;
}

/** A rotary table in the graph, with the values that the export has there. */
export interface SiteInfo {
  readonly form: RotarySite['form'];
  readonly layers: readonly number[];
  /** Whether the table is in float16, which is accurate to three digits. */
  readonly half: boolean;
  readonly own: RotaryValues;
  /** The table for long contexts, in a graph that chooses its table by the length. */
  readonly ownLong?: RotaryValues;
}

/** A rotary table in the graph, and how its rows repeat the pairs. */
export type LaidOutSite = RotarySite & { readonly layout: RowLayout };

export const isHalf = (site: RotarySite): boolean => site.element === ELEMENT.float16;

/** A length at which a graph that chooses its table by the length uses the short one. */
export const SHORT_POSITIONS = 48;

/**
 * A model file: its graph, the folder of its weights, and the rotary tables that it runs with. No
 * weights are loaded until a session is created.
 */
export class ExportedModel {
  private constructor(
    readonly runtime: Runtime,
    readonly graph: Graph,
    readonly sites: readonly LaidOutSite[],
    /** One per site. */
    readonly tables: readonly SiteInfo[],
    /** Creates a session of the graph with an edit. */
    readonly create: (edit: GraphEdit) => Promise<InferenceSession>,
    private readonly request: ExportRequest,
    private readonly folder: string,
    private readonly cleaners: (() => void)[],
  ) {}

  /**
   * Opens a model file and reads its tables.
   *
   * @param accept throws if the graph cannot be used, before anything else is read
   * @throws RopeEvalError exit 2 if the file is not such a model or its tables are not found
   */
  static async open(
    request: ExportRequest,
    accept: (graph: Graph) => void = () => {},
  ): Promise<ExportedModel> {
    const source = new FileBytes(request.file);
    const cleaners = [() => source.close()];
    try {
      const graph = readGraph(source);
      accept(graph);
      const folder = weightsFolder(graph, request, cleaners);
      const sites = rotarySites(graph, (weight, bytes) => firstBytes(graph, folder, weight, bytes));
      const runtime = await loadRuntime(request.device);
      const create = (edit: GraphEdit) =>
        createSession(runtime, editedModel(graph, edit, basename(request.file)), folder, request);
      const positions = Math.min(request.positions, ...sites.flatMap(({ rows }) => rows ?? []));
      const [short, long] = await ownTables(runtime, graph, sites, create, [
        Math.min(SHORT_POSITIONS, positions),
        positions,
      ]);
      const tables = sites.map((site, i) => {
        const [first, whole] = [short![i]!.values, long![i]!.values];
        return {
          form: site.form,
          layers: site.layers,
          half: isHalf(site),
          ...(beginsAs(whole, first) ? { own: whole } : { own: first, ownLong: whole }),
        };
      });
      const laidOut = sites.map((site, i) => ({ ...site, layout: long![i]!.layout }));
      return new ExportedModel(runtime, graph, laidOut, tables, create, request, folder, cleaners);
    } catch (error) {
      cleaners.forEach((clean) => clean());
      throw error;
    }
  }

  identity(): ModelIdentity {
    return identityOf(this.graph, this.folder, basename(this.request.file));
  }

  /** Returns the size of all its weights in bytes, whatever files they are in. */
  weightBytes(): number {
    return [...this.graph.weights.values()].reduce((sum, weight) => sum + bytesOf(weight), 0);
  }

  close(): void {
    this.cleaners.forEach((clean) => clean());
  }
}

/** Names a folder for hard links, beside the file that a link leads to: it must be on its disk. */
export function linksFolder(file: string): string {
  const own = existsSync(file) ? realpathSync(file) : file;
  return join(dirname(own), `.rope-eval-${randomUUID()}`);
}

/**
 * Returns the folder that weights are mapped from. The runtime refuses symbolic links, which a
 * hub's cache is made of, so such files are hard-linked into a temporary folder.
 */
function weightsFolder(
  graph: Graph,
  { file, links }: ExportRequest,
  cleaners: (() => void)[],
): string {
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
  const own = links ?? linksFolder(file);
  cleaners.push(() => rmSync(own, { recursive: true, force: true }));
  for (const name of names) {
    try {
      mkdirSync(own, { recursive: true });
      linkSync(realpathSync(join(folder, name)), join(own, basename(name)));
    } catch {
      throw errors.external(name, 'are behind a symbolic link and could not be linked hard');
    }
  }
  return own;
}

/** Hexadecimal hashes. */
export interface ModelIdentity {
  readonly graphSha256: string;
  readonly weightsSha256: string;
}

/** The size of each sample of a file in bytes, and the number of samples. */
const SAMPLE_BYTES = 1 << 16;
const SAMPLES = 64;

/**
 * Identifies a model by the bytes of its structure, and by the sizes and evenly spaced samples of
 * all its files. Reading gigabytes in full would take longer than some answers.
 */
function identityOf(graph: Graph, folder: string, file: string): ModelIdentity {
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
  { device, threads, flushesDenormals = false }: ExportRequest,
): Promise<InferenceSession> {
  const session = runtime.InferenceSession.create(model, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    extra: {
      session: {
        model_external_initializers_file_folder_path: folder,
        ...(flushesDenormals ? { set_denormal_as_zero: '1' } : {}),
      },
    },
  });
  return session.catch((error: unknown) => {
    throw unlessMemory(error, errors.notOpened);
  });
}

/**
 * Runs a session on a context, or on a part of one.
 *
 * @throws RopeEvalError `onnx_not_run` if the graph cannot be run on so many tokens
 */
export async function runOn(
  session: InferenceSession,
  tokens: number,
  feeds: Feeds,
  wanted: readonly string[],
): Promise<InferenceSession.OnnxValueMapType> {
  return session.run(feeds, wanted).catch((error: unknown) => {
    throw unlessMemory(error, (reason) => errors.notRun(tokens, reason));
  });
}

/** Matches what the runtime and C++ say of a failed allocation. */
const NO_MEMORY = /alloc/i;

/** Words an error of the runtime. Whoever asked for memory says what to do without it. */
function unlessMemory(error: unknown, worded: (reason: string) => RopeEvalError): unknown {
  const reason = messageOf(error);
  return NO_MEMORY.test(reason) ? error : worded(reason.split('\n')[0]!);
}

interface OwnTable {
  readonly values: RotaryValues;
  readonly layout: RowLayout;
}

/**
 * Returns the export's own table at each site, as the graph has it for contexts of some lengths. It
 * runs the part of the graph that makes the table, so the result is what the runtime would use,
 * however it was written.
 */
async function ownTables(
  runtime: Runtime,
  graph: Graph,
  sites: readonly RotarySite[],
  create: (edit: GraphEdit) => Promise<InferenceSession>,
  lengths: readonly number[],
): Promise<OwnTable[][]> {
  const names = sites.flatMap(({ cos, sin }) => [cos, sin]);
  const { inputs, withoutNodes, withoutWeights } = prunedTo(graph, names);
  // A weight cannot be an output itself, so a node passes it on.
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
  const ownAt = async (positions: number): Promise<OwnTable[]> => {
    const whole = (value: (i: number) => number) => wholeNumbers(runtime, positions, value);
    const feeds: Feeds = {};
    for (const port of graph.inputs.filter(({ name }) => inputs.has(name))) {
      const { name } = port;
      if (name === 'position_ids') feeds[name] = whole((i) => i);
      else if (name === 'attention_mask') feeds[name] = whole(() => 1);
      else if (name === 'input_ids') feeds[name] = whole(() => 0);
      // Without an input for positions, a graph counts them from the length of its cache.
      else if (PAST.test(name)) feeds[name] = emptyPast(runtime, port.element, emptySizes(port));
      else throw errors.rotaryNode(sites[0]!.cos, `depends on the input "${name}"`);
    }
    const out = await runOn(session, positions, feeds, session.outputNames);
    return sites.map((site) => ownTable(site, out[`own/${site.cos}`]!, out[`own/${site.sin}`]!));
  };
  try {
    const tables = [];
    for (const length of lengths) tables.push(await ownAt(length));
    return tables;
  } finally {
    await session.release();
  }
}

function ownTable(site: RotarySite, cos: Tensor, sin: Tensor): OwnTable {
  const width = cos.dims.at(-1)!;
  const [c, s] = [numbersOf(cos), numbersOf(sin)];
  const once = site.shape === 'cache' || site.once === true;
  const layout = once ? 'once' : layoutOf(c, width);
  const values = {
    positions: c.length / width,
    pairs: layout === 'once' ? width : width / 2,
    cos: pairsOnce(c, width, layout),
    sin: pairsOnce(s, width, layout),
  };
  return { values, layout };
}

/** The largest difference of a cosine that rounding explains, in float16 too. */
const SAME_COSINE = 1e-3;

/** Whether a table has the rows of a shorter one. A graph that chooses by the length has others. */
function beginsAs(table: RotaryValues, { cos }: RotaryValues): boolean {
  return cos.every((value, i) => Math.abs(value - (table.cos[i] ?? value)) <= SAME_COSINE);
}

/** Matches the names of inputs that hold the cache of a layer: its number, and keys or values. */
export const PAST = /^past(?:_key_values)?[._](\d+)[._](key|value)$/;

/** More numbers than the cache of a layer has before any token is read: 4 GB in float32. */
const MOST_PLACES = 1e9;

/**
 * Returns the sizes of a cache that holds no tokens yet.
 *
 * @param open the sizes where the graph leaves them open: batch, heads, tokens, width
 * @throws RopeEvalError `onnx_input` if they are no sizes, or too large
 */
export function emptySizes({ name, dims }: Port, open: readonly number[] = [1]): readonly number[] {
  const sizes = dims.map((d, i) => (typeof d === 'number' && d > 0 ? d : (open[i] ?? 0)));
  const isCache = sizes.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!isCache || placesOf(sizes) > MOST_PLACES)
    throw errors.input(name, `has the sizes ${sizes.join(' x ')}, which no empty cache has`);
  return sizes;
}

function placesOf(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

/** Makes a cache of zeros. */
export function emptyPast({ Tensor }: Runtime, element: number, sizes: readonly number[]): Tensor {
  const places = placesOf(sizes);
  return element === ELEMENT.float16
    ? new Tensor('float16', new Uint16Array(places), sizes)
    : new Tensor('float32', new Float32Array(places), sizes);
}

/** Makes a (1, length) tensor of whole numbers. */
export function wholeNumbers(
  { Tensor }: Runtime,
  length: number,
  value: (i: number) => number,
): Tensor {
  return new Tensor(
    'int64',
    BigInt64Array.from({ length }, (_, i) => BigInt(value(i))),
    [1, length],
  );
}

/** Returns the values of a float32 or float16 tensor. */
export function numbersOf(tensor: Tensor): Float32Array {
  const { data } = tensor;
  if (data instanceof Float32Array) return data;
  return fromHalf(data as Uint16Array);
}
