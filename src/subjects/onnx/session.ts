import type { InferenceSession } from 'onnxruntime-node';
import type { ContextScores } from '../../probes/measure.js';
import type { Feeds, Runtime } from '../bundled/engine.js';
import { assertRoom, costOf, type DecoderCost } from './cost.js';
import {
  emptyPast,
  emptySizes,
  ExportedModel,
  type ExportRequest,
  isHalf,
  type LaidOutSite,
  type ModelIdentity,
  numbersOf,
  PAST,
  runOn,
  type SiteInfo,
  wholeNumbers,
} from './exported.js';
import { ELEMENT, type Graph, type GraphEdit, type Node } from './graph.js';
import { SCORED, scoredHead } from './head.js';
import { errors } from './refusals.js';
import { type RotaryValues, siteRows } from './rotary.js';

/** Which decoder to open. `positions` is the longest context that it will be given. */
export interface DecoderRequest extends ExportRequest {
  /** The MiB that the attention scores of one run may take. */
  readonly memory: number;
  /** The MiB that the decoder may take in all; undefined: what the machine has left. */
  readonly room?: number | undefined;
  /** From the config, because exporters leave some sizes of the cache open. */
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headDim: number;
  /** How many pairs of a head the layers of the config rotate; undefined: not checked. */
  readonly pairs?: readonly number[];
  /** The most rows of a context that are scored. */
  readonly scoredRows: number;
}

/** What is known about an opened decoder. */
export interface DecoderInfo extends ModelIdentity {
  readonly producer: string;
  readonly onnxruntime: string;
  readonly sites: readonly SiteInfo[];
  /** The element type of the cache, or of the tables if there is none. */
  readonly precision: 'float32' | 'float16';
  readonly quantised: boolean;
  /** How many tokens are read at a time; undefined: a whole context at once. */
  readonly chunk?: number;
  /** How many symbols a row is projected to; undefined: the graph does not tell. */
  readonly vocabulary?: number;
  readonly cost: DecoderCost;
  /** The largest difference in log-probability between the edited graph and the original. */
  readonly editDifference: number;
  readonly editLimit: number;
}

/** One context to be scored. */
export interface DecoderRun {
  readonly tokens: readonly number[];
  /** One per site. */
  readonly tables: readonly RotaryValues[];
  /** The rows from which a target is predicted, ascending. */
  readonly rows: readonly number[];
  readonly targets: readonly number[];
}

/** What the inputs of the graph are for. */
interface Roles {
  readonly mask: boolean;
  readonly positions: boolean;
  /** The caches: the sizes are those before any token is read. */
  readonly past: readonly {
    readonly input: string;
    readonly output: string;
    readonly element: number;
    readonly sizes: readonly number[];
  }[];
}

/**
 * The largest difference that an edit may make. In float32 it is of the order of a few sums. In
 * float16 and with 4-bit weights, it is the rounding of a hidden state, which changes if nodes are
 * fused differently.
 */
const EDIT_LIMITS = Object.freeze({ float32: 1e-4, float16: 0.05, quantised: 0.02 });

/** How many tokens, of how many symbols, compare the edited graph with the original. */
const PROOF_TOKENS = 48;
const PROOF_SYMBOLS = 1000;

/**
 * A user's decoder with its rotary tables as inputs.
 *
 * Weights stay in their files and are mapped. If the graph keeps a cache of keys, contexts that are
 * longer than the memory allows are read in chunks.
 */
export class DecoderSession {
  private constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    private readonly sites: readonly LaidOutSite[],
    private readonly roles: Roles,
    readonly info: DecoderInfo,
    private readonly model: Pick<ExportedModel, 'close'>,
  ) {}

  /**
   * Opens a decoder, edits its graph, and checks that the edit changes no answer.
   *
   * @throws RopeEvalError exit 2 if the graph cannot be edited or answers differently afterwards;
   *   exit 3 if there is no room for it
   */
  static async open(request: DecoderRequest): Promise<DecoderSession> {
    const model = await ExportedModel.open(request, (graph) => rolesOf(graph, request));
    try {
      const { graph, runtime, sites, tables } = model;
      const roles = rolesOf(graph, request);
      const facts = factsOf(model, roles, request);
      // How much memory another model takes is nobody's question.
      assertConfigured(facts, roles, request);
      assertRoom(facts.cost, request.positions, request.room);
      const head = scoredHead(graph);
      const proof = proofOf(tables, facts.vocabulary);
      // The sessions follow each other, so that the weights are in memory only once.
      const original = await originalScores(model, roles, proof);
      const session = await model.create({ ...head, ...mergedEdits(sites, head) });
      const info = { ...facts, editDifference: Number.NaN };
      const edited = new DecoderSession(runtime, session, sites, roles, info, model);
      const editDifference = largest(original, (await edited.run(proof)).logProbability);
      if (!(editDifference <= facts.editLimit))
        throw errors.notTheSame(editDifference, facts.editLimit);
      return Object.assign(edited, { info: { ...facts, editDifference } });
    } catch (error) {
      model.close();
      throw error;
    }
  }

  async run({ tokens, tables, rows, targets }: DecoderRun): Promise<ContextScores> {
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
        ...tokenFeeds(this.runtime, this.roles, tokens, from, to, past),
        ...this.#tables(tables, tokens.length, from, to),
        ...this.#asked(scored, from, targets.slice(Math.max(first, 0))),
      };
      const wanted = [SCORED.logProbability, SCORED.best];
      const out = await runOn(
        this.session,
        tokens.length,
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

  /** Makes the inputs for scored rows, counted from `from`. A chunk needs at least one row. */
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
    this.model.close();
  }
}

/** Checks the graph's shape against the config's. @throws RopeEvalError `onnx_other_model` */
function assertConfigured(
  { sites }: Pick<DecoderInfo, 'sites'>,
  { past }: Roles,
  { layers, keyHeads, headDim, pairs = [] }: DecoderRequest,
): void {
  const [first] = pairs;
  const other = sites.find(({ own }) => !pairs.includes(own.pairs));
  if (first !== undefined && other !== undefined) throw errors.pairs(other.own.pairs, first);
  // Each layer keeps a key and a value.
  if (past.length / 2 > layers) throw errors.layers(past.length / 2, layers);
  const [, heads, , width] = past[0]?.sizes ?? [];
  if (heads !== undefined && width !== undefined && (heads !== keyHeads || width !== headDim))
    throw errors.cache([heads, width], [keyHeads, headDim]);
}

function factsOf(
  model: ExportedModel,
  roles: Roles,
  request: DecoderRequest,
): Omit<DecoderInfo, 'editDifference'> {
  const { graph, runtime, sites, tables } = model;
  const precision =
    roles.past.some((p) => p.element === ELEMENT.float16) || sites.some(isHalf)
      ? 'float16'
      : 'float32';
  const quantised = graph.nodes.some((n) => n.op === 'MatMulNBits' || n.op === 'MatMulInteger');
  const asked = {
    ...request,
    keepsScores: keepsScores(graph),
    precision,
    weightBytes: model.weightBytes(),
  } as const;
  let chunk = chunkOf(graph, roles, request);
  let cost = costOf(graph, { ...asked, chunk });
  // Smaller chunks keep fewer scores and hidden states in memory.
  while (
    chunk !== undefined &&
    chunk > SMALLEST_CHUNK &&
    cost.memory > (request.room ?? Infinity)
  ) {
    chunk = Math.max(SMALLEST_CHUNK, Math.floor(chunk / 2));
    cost = costOf(graph, { ...asked, chunk });
  }
  const vocabulary = graph.outputs.find((o) => o.name === 'logits')?.dims[2];
  return {
    producer: graph.producer,
    onnxruntime: runtime.env.versions.node ?? runtime.env.versions.common,
    ...model.identity(),
    sites: tables,
    precision,
    quantised,
    ...(chunk === undefined ? {} : { chunk }),
    ...(typeof vocabulary === 'number' && vocabulary > 0 ? { vocabulary } : {}),
    cost,
    editLimit: quantised ? EDIT_LIMITS.quantised : EDIT_LIMITS[precision],
  };
}

/**
 * Makes the question that both graphs are asked: a fixed walk through the vocabulary. The answers
 * do not matter, only that they are the same.
 */
function proofOf(tables: readonly SiteInfo[], vocabulary = PROOF_SYMBOLS): DecoderRun {
  const symbols = Math.min(vocabulary, PROOF_SYMBOLS);
  const length = Math.min(PROOF_TOKENS, tables[0]!.own.positions);
  const tokens = Array.from({ length }, (_, i) => (i * 7919 + 13) % symbols);
  return {
    tokens,
    tables: tables.map((site) => site.own),
    rows: tokens.slice(0, -1).map((_, i) => i),
    targets: tokens.slice(1),
  };
}

/** Returns (rows,) log-probabilities of the unedited graph. */
async function originalScores(
  { runtime, create }: ExportedModel,
  roles: Roles,
  { tokens, rows, targets }: DecoderRun,
): Promise<Float32Array> {
  const session = await create({});
  try {
    const feeds = tokenFeeds(runtime, roles, tokens, 0, tokens.length, undefined);
    const { logits } = await runOn(session, tokens.length, feeds, ['logits']);
    const values = numbersOf(logits!);
    const width = values.length / tokens.length;
    return Float32Array.from(rows, (row) =>
      logProbability(values.subarray(row * width, (row + 1) * width), targets[row]!),
    );
  } finally {
    await session.release();
  }
}

function largest(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

/** Makes the inputs for tokens [from, to): ids, mask, positions and the cache of keys. */
function tokenFeeds(
  runtime: Runtime,
  roles: Roles,
  tokens: readonly number[],
  from: number,
  to: number,
  past: Feeds | undefined,
): Feeds {
  const whole = (length: number, value: (i: number) => number) =>
    wholeNumbers(runtime, length, value);
  const none = () =>
    Object.fromEntries(
      roles.past.map(({ input, element, sizes }) => [input, emptyPast(runtime, element, sizes)]),
    );
  return {
    input_ids: whole(to - from, (i) => tokens[from + i]!),
    ...(roles.mask ? { attention_mask: whole(to, () => 1) } : {}),
    ...(roles.positions ? { position_ids: whole(to - from, (i) => from + i) } : {}),
    ...(past ?? none()),
  };
}

function mergedEdits(sites: readonly LaidOutSite[], head: GraphEdit): GraphEdit {
  return {
    withoutNodes: new Set(sites.flatMap(({ edit }) => [...(edit.withoutNodes ?? [])])),
    withoutWeights: new Set(sites.flatMap(({ edit }) => [...(edit.withoutWeights ?? [])])),
    addedInputs: [
      ...sites.flatMap(({ edit }) => edit.addedInputs ?? []),
      ...(head.addedInputs ?? []),
    ],
  };
}

/** Returns the inputs whose cache has a fixed number of places, however many tokens it holds. */
function slidingCapacities({ nodes }: Graph): Map<string, number> {
  return new Map(
    nodes
      .filter(({ attributes }) => attributes.get('sliding_window_cache') === 1)
      .flatMap(({ inputs, attributes }) =>
        [inputs[3]!, inputs[4]!].map((name) => [name, Number(attributes.get('local_window_size'))]),
      ),
  );
}

/** Finds out what a graph's inputs are for. @throws RopeEvalError `onnx_input` for others */
function rolesOf(graph: Graph, { keyHeads, headDim }: DecoderRequest): Roles {
  const capacities = slidingCapacities(graph);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const past: Roles['past'][number][] = [];
  let [mask, positions, ids] = [false, false, false];
  for (const port of graph.inputs) {
    const { name } = port;
    if (graph.weights.has(name)) continue;
    const layer = PAST.exec(name);
    if (name === 'input_ids') ids = true;
    else if (name === 'attention_mask') mask = true;
    else if (name === 'position_ids') positions = true;
    else if (layer) {
      const output = `present.${layer[1]}.${layer[2]}`;
      if (!outputs.has(output)) throw errors.input(name, `has no output "${output}" to go on from`);
      const open = [1, keyHeads, capacities.get(name) ?? 0, headDim];
      past.push({ input: name, output, element: port.element, sizes: emptySizes(port, open) });
    } else
      throw errors.input(
        name,
        'is not one that is known: input_ids, attention_mask, position_ids, past_key_values',
      );
  }
  if (!ids) throw errors.input('input_ids', 'is missing');
  return { mask, positions, past };
}

/** The bytes of one head's score, times the copies of it that a softmax holds. */
const BYTES_A_SCORE = 12;
const SMALLEST_CHUNK = 64;

/** Which input of an attention node is a bias with one number for each pair of tokens. */
const ATTENTION_BIAS: Readonly<Record<string, number>> = Object.freeze({
  MultiHeadAttention: 5,
  GroupQueryAttention: 10,
});

const isFused = ({ op }: Node): boolean => Object.hasOwn(ATTENTION_BIAS, op);

/** Whether attention keeps all scores. Fused attention does so only with a bias for every pair. */
function keepsScores({ nodes }: Graph): boolean {
  const fused = nodes.filter(isFused);
  return fused.length === 0 || fused.some((node) => node.inputs[ATTENTION_BIAS[node.op]!]);
}

/**
 * Returns how many tokens are read at a time. Attention that is written out in nodes is read in
 * chunks so that its scores fit.
 */
function chunkOf(graph: Graph, roles: Roles, request: DecoderRequest): number | undefined {
  // The masks that exporters write for MultiHeadAttention fit only a prompt, or one token after it.
  if (graph.nodes.some(isFused) || roles.past.length === 0) return undefined;
  const chunk = Math.floor(
    (request.memory * 2 ** 20) / (request.heads * BYTES_A_SCORE * request.positions),
  );
  return Math.max(SMALLEST_CHUNK, Math.min(1024, chunk));
}

/** Returns the log-probability of a target. @param logits (vocabulary,) */
function logProbability(logits: Float32Array, target: number): number {
  let top = -Infinity;
  for (const value of logits) if (value > top) top = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - top);
  return logits[target]! - top - Math.log(sum);
}
