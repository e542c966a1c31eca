import { Float16Array } from '@petamoriken/float16';
import { ELEMENT, type Graph, type GraphEdit, type Node, type Port, type Weight } from './graph.js';
import { errors } from './refusals.js';

/** cos and sin by position, including the attention scaling: (positions, pairs), row-major. */
export interface RotaryValues {
  readonly positions: number;
  readonly pairs: number;
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** How the rows of a site repeat each pair. */
export type RowLayout = 'once' | 'halves' | 'neighbours';

/** Computes the values of a rotary table in float64. @param invFreq (pairs,) radians per token */
export function rotaryValues(
  invFreq: ArrayLike<number>,
  attentionScaling: number,
  positions: number,
): RotaryValues {
  const pairs = invFreq.length;
  const cos = new Float32Array(positions * pairs);
  const sin = new Float32Array(positions * pairs);
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < pairs; i++) {
      const angle = p * invFreq[i]!;
      cos[p * pairs + i] = Math.cos(angle) * attentionScaling;
      sin[p * pairs + i] = Math.sin(angle) * attentionScaling;
    }
  }
  return { positions, pairs, cos, sin };
}

/** Returns the rows [from, to) of cos or sin in the layout and element type of a site. */
export function siteRows(
  site: RotarySite,
  layout: RowLayout,
  values: RotaryValues,
  of: 'cos' | 'sin',
  from: number,
  to: number,
): Float32Array | Uint16Array {
  const { pairs } = values;
  const table = values[of];
  const width = layout === 'once' ? pairs : 2 * pairs;
  const out = new Float32Array((to - from) * width);
  for (let row = from; row < to; row++) {
    for (let i = 0; i < pairs; i++) {
      const value = table[row * pairs + i]!;
      const at = (row - from) * width;
      if (layout === 'once') out[at + i] = value;
      else if (layout === 'halves') out[at + i] = out[at + pairs + i] = value;
      else out[at + 2 * i] = out[at + 2 * i + 1] = value;
    }
  }
  return site.element === ELEMENT.float16 ? toHalf(out) : out;
}

/** Converts to float16 as bits, which the runtime takes; Node 20 has no Float16Array. */
export function toHalf(values: Float32Array): Uint16Array {
  return new Uint16Array(Float16Array.from(values).buffer);
}

/** Converts float16 bits to float32. */
export function fromHalf(bits: Uint16Array): Float32Array {
  return Float32Array.from(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
}

/**
 * Determines from cos at position 1 how rows repeat a pair. Rows that repeat in neither way hold
 * each pair once; whether they are as many as the config's is checked later.
 */
export function layoutOf(cos: Float32Array, width: number): RowLayout {
  const row = cos.subarray(width, 2 * width);
  const half = width / 2;
  if (width % 2 !== 0) return 'once';
  if (row.subarray(0, half).every((v, i) => v === row[half + i])) return 'halves';
  return row.every((v, i) => v === row[i ^ 1]) ? 'neighbours' : 'once';
}

/** Returns the rows of a wide table with each pair only once. */
export function pairsOnce(rows: Float32Array, width: number, layout: RowLayout): Float32Array {
  if (layout === 'once') return rows;
  const pairs = width / 2;
  const out = new Float32Array(rows.length / 2);
  for (let row = 0; row * width < rows.length; row++)
    for (let i = 0; i < pairs; i++)
      out[row * pairs + i] = rows[row * width + (layout === 'halves' ? i : 2 * i)]!;
  return out;
}

/** The numbers behind a table, recovered from its values. */
export interface ReadTable {
  /** (pairs,) radians per token. */
  readonly invFreq: Float64Array;
  readonly attentionScaling: number;
}

/**
 * Recovers the frequencies and attention scaling of a table. It takes the angle at position 1, then
 * at 2, 4, 8 and so on. Each angle is unwrapped with the help of the one before, so the last one
 * gives the frequency to the table's own precision.
 */
export function readTable({ positions, pairs, cos, sin }: RotaryValues): ReadTable {
  const at = (row: number, i: number): number =>
    Math.atan2(sin[row * pairs + i]!, cos[row * pairs + i]!);
  const invFreq = Float64Array.from({ length: pairs }, (_, i) => {
    let frequency = at(1, i);
    for (let row = 2; row < positions; row *= 2) {
      const turns = Math.round((row * frequency - at(row, i)) / (2 * Math.PI));
      frequency = (at(row, i) + 2 * Math.PI * turns) / row;
    }
    return frequency;
  });
  return { invFreq, attentionScaling: Math.hypot(cos[pairs]!, sin[pairs]!) };
}

/**
 * A place at which a graph keeps a rotary table, with the edit that turns the table into an input,
 * so that one session serves every scaling.
 *
 * There are two shapes. A *cache* is a table [positions, pairs] that nodes index themselves
 * (GroupQueryAttention with do_rotary, RotaryEmbedding). *Rows* are the cos and sin of a run's
 * tokens, [1, tokens, width], whether the graph computes them from inv_freq or gathers them from a
 * folded table.
 */
export interface RotarySite {
  readonly shape: 'cache' | 'rows';
  /** The names of the inputs that the edited graph has for it. */
  readonly cos: string;
  readonly sin: string;
  readonly element: typeof ELEMENT.float32 | typeof ELEMENT.float16;
  /** The width of a row of cos: the pairs, or 2 x pairs if each is written twice. */
  readonly width: number | undefined;
  /** Whether each pair appears only once in a row, whatever the shape. */
  readonly once?: boolean;
  /** How many positions a folded table has, which is as far as it can be asked. */
  readonly rows?: number;
  /** The layers that use it, in the order of the graph. */
  readonly layers: readonly number[];
  /** How the exporter wrote it, for the report. */
  readonly form: 'genai' | 'genai-longrope' | 'opset-23' | 'computed' | 'folded';
  readonly edit: Pick<GraphEdit, 'withoutNodes' | 'withoutWeights' | 'addedInputs'>;
}

/** Node types that take a cache, and the positions of its inputs. */
const TAKES_CACHE: Readonly<Record<string, { readonly cos: number; readonly sin: number }>> =
  Object.freeze({
    'com.microsoft::GroupQueryAttention': { cos: 7, sin: 8 },
    'com.microsoft::RotaryEmbedding': { cos: 2, sin: 3 },
    '::RotaryEmbedding': { cos: 1, sin: 2 },
  });

const LAYER = /(?:^|[./_])(?:layers?|h|blocks?)[./_](\d+)(?:[./_]|$)/;

/** Returns the number of a node's layer from its name; -1 if that does not tell. */
const layerOf = (node: Node): number => Number(LAYER.exec(node.name)?.[1] ?? -1);

/** Reads the first bytes of a weight's values; undefined if there are fewer. */
export type FirstRow = (weight: Weight, bytes: number) => Buffer | undefined;

interface Index {
  readonly producer: ReadonlyMap<string, Node>;
  readonly consumers: ReadonlyMap<string, readonly Node[]>;
}

/** Indexes the nodes of a graph by the names that they produce and consume. */
export function indexOf(graph: Graph): Index {
  const producer = new Map<string, Node>();
  const consumers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of node.outputs) producer.set(name, node);
    for (const name of new Set(node.inputs)) {
      const list = consumers.get(name);
      if (list) list.push(node);
      else consumers.set(name, [node]);
    }
  }
  return { producer, consumers };
}

function elementOf(element: number, node: Node): RotarySite['element'] {
  if (element === ELEMENT.float32 || element === ELEMENT.float16) return element;
  throw errors.rotaryNode(node.name, `takes tables of element type ${element}, not float or half`);
}

/** Finds the tables that nodes index themselves: a site per pair of names, with its layers. */
function cacheSites(graph: Graph, index: Index): RotarySite[] {
  const sites = new Map<string, { site: RotarySite; layers: Set<number> }>();
  for (const node of graph.nodes) {
    const at = TAKES_CACHE[`${node.domain}::${node.op}`];
    if (!at) continue;
    if (node.op === 'GroupQueryAttention' && node.attributes.get('do_rotary') !== 1) continue;
    const [cos, sin] = [node.inputs[at.cos], node.inputs[at.sin]];
    if (!cos || !sin) throw errors.rotaryNode(node.name, 'has no tables of its own');
    const key = `${cos}\n${sin}`;
    const known = sites.get(key);
    if (known) {
      known.layers.add(layerOf(node));
      continue;
    }
    const site = cacheSite(graph, index, node, cos, sin);
    if (site) sites.set(key, { site, layers: new Set([layerOf(node)]) });
  }
  return [...sites.values()].map(({ site, layers }) => ({ ...site, layers: [...layers] }));
}

function cacheSite(
  graph: Graph,
  { producer }: Index,
  node: Node,
  cos: string,
  sin: string,
): RotarySite | undefined {
  const [cosWeight, sinWeight] = [graph.weights.get(cos), graph.weights.get(sin)];
  const inputs = (element: number, width: number | string): Port[] =>
    [cos, sin].map((name) => ({ name, element, dims: ['rope_positions', width] }));
  const form = node.domain === '' ? 'opset-23' : 'genai';
  if (cosWeight && sinWeight) {
    if (cosWeight.dims.length !== 2)
      throw errors.rotaryNode(node.name, `has a table of ${cosWeight.dims.length} dimensions`);
    const element = elementOf(cosWeight.element, node);
    const width = cosWeight.dims[1]!;
    return {
      shape: 'cache',
      cos,
      sin,
      element,
      width,
      layers: [],
      form,
      edit: { withoutWeights: new Set([cos, sin]), addedInputs: inputs(element, width) },
    };
  }
  const maker = producer.get(cos);
  if (maker?.op === 'If' && producer.get(sin) === maker) {
    // This is an export for longrope, whose branches hold the short and the long table.
    const outputs = maker.outputs.filter((name) => name !== cos && name !== sin);
    if (outputs.length > 0) throw errors.rotaryNode(maker.name, 'also gives other values');
    const element = halfGraph(graph) ? ELEMENT.float16 : ELEMENT.float32;
    return {
      shape: 'cache',
      cos,
      sin,
      element,
      width: undefined,
      layers: [],
      form: 'genai-longrope',
      edit: { withoutNodes: new Set([maker]), addedInputs: inputs(element, 'rope_pairs') },
    };
  }
  // The rows were computed or gathered before the node, so `rowSites` finds them by what made them.
  return undefined;
}

/** Whether the graph computes in float16, judging by its past keys or else by its weights. */
function halfGraph(graph: Graph): boolean {
  const past = graph.inputs.find(({ name }) => /past|key/.test(name) && !/length|mask/.test(name));
  if (past) return past.element === ELEMENT.float16;
  return [...graph.weights.values()].some((w) => w.element === ELEMENT.float16);
}

/** Operators that pass a table on without changing its angles. */
const PASSES = new Set(['Mul', 'Cast', 'Unsqueeze', 'Identity', 'Reshape', 'Squeeze']);

/** Returns the name of the table just before it meets a query, after its own scaling and casts. */
function handedOn(graph: Graph, { consumers }: Index, from: Node): string {
  let name = from.outputs[0]!;
  for (;;) {
    const users = consumers.get(name) ?? [];
    if (users.length !== 1 || !PASSES.has(users[0]!.op)) return name;
    const [user] = users;
    const other = user!.inputs.find((input) => input !== name);
    // A Mul by a single number is the attention scaling. Any other Mul is the rotation itself.
    if (user!.op === 'Mul' && !isScalar(graph, other)) return name;
    if (user!.op === 'Unsqueeze' || user!.op === 'Reshape' || user!.op === 'Squeeze') return name;
    name = user!.outputs[0]!;
  }
}

function isScalar(graph: Graph, name: string | undefined): boolean {
  if (name === undefined) return false;
  const weight = graph.weights.get(name);
  if (weight) return weight.dims.reduce((product, d) => product * d, 1) === 1;
  return graph.nodes.some((n) => n.op === 'Constant' && n.outputs[0] === name);
}

/** Finds tables whose rows are computed with Cos and Sin, or gathered from a folded table. */
function rowSites(graph: Graph, index: Index, firstRow: FirstRow): RotarySite[] {
  const byAngle = new Map<string, { cos?: Node; sin?: Node }>();
  for (const node of graph.nodes) {
    if (node.op !== 'Cos' && node.op !== 'Sin') continue;
    const key = node.inputs[0]!;
    const pair = byAngle.get(key) ?? {};
    byAngle.set(key, node.op === 'Cos' ? { ...pair, cos: node } : { ...pair, sin: node });
  }
  const pairs: { cos: Node; sin: Node; form: 'computed' | 'folded' }[] = [];
  for (const { cos, sin } of byAngle.values())
    if (cos && sin) pairs.push({ cos, sin, form: 'computed' });
  pairs.push(...gatheredPairs(graph, firstRow));
  return pairs.map(({ cos, sin, form }) => {
    const [cosName, sinName] = [handedOn(graph, index, cos), handedOn(graph, index, sin)];
    const element = halfTable(graph, index, cosName) ? ELEMENT.float16 : ELEMENT.float32;
    const port = (name: string): Port => ({
      name,
      element,
      dims: [1, 'rope_tokens', 'rope_width'],
    });
    const makers = new Set([cosName, sinName].map((name) => index.producer.get(name)!));
    return {
      shape: 'rows',
      cos: cosName,
      sin: sinName,
      element,
      width: undefined,
      layers: layersOfRows(index, cosName),
      // A RotaryEmbedding that has no positions takes rows in which each pair appears once.
      ...((index.consumers.get(cosName) ?? []).some(({ op }) => op === 'RotaryEmbedding')
        ? { once: true }
        : {}),
      ...(form === 'folded' ? { rows: graph.weights.get(cos.inputs[0]!)!.dims[0]! } : {}),
      form,
      edit: { withoutNodes: makers, addedInputs: [port(cosName), port(sinName)] },
    };
  });
}

/** Whether a table is float16, by its last Cast or else by the folded table behind it. */
function halfTable(graph: Graph, { producer }: Index, name: string): boolean {
  for (let node = producer.get(name); node; node = producer.get(node.inputs[0]!)) {
    if (node.op === 'Cast') return node.attributes.get('to') === ELEMENT.float16;
    const weight = node.op === 'Gather' ? graph.weights.get(node.inputs[0]!) : undefined;
    if (weight) return weight.element === ELEMENT.float16;
  }
  return false;
}

/** Finds pairs of folded tables of one shape and index. First rows tell cos from sin. */
function gatheredPairs(
  graph: Graph,
  firstRow: FirstRow,
): { cos: Node; sin: Node; form: 'folded' }[] {
  const tables = graph.nodes.filter((node) => {
    const weight = node.op === 'Gather' ? graph.weights.get(node.inputs[0]!) : undefined;
    return weight !== undefined && weight.dims.length === 2 && looksRotary(firstRow, weight) !== '';
  });
  const pairs: { cos: Node; sin: Node; form: 'folded' }[] = [];
  const isCos = (node: Node): boolean =>
    looksRotary(firstRow, graph.weights.get(node.inputs[0]!)!) === 'cos';
  const seen = new Set<string>();
  for (const cos of tables.filter(isCos)) {
    const dims = graph.weights.get(cos.inputs[0]!)!.dims.join();
    const sin = tables.find(
      (node) =>
        !isCos(node) &&
        node.inputs[1] === cos.inputs[1] &&
        graph.weights.get(node.inputs[0]!)!.dims.join() === dims &&
        !seen.has(node.outputs[0]!),
    );
    if (!sin) continue;
    seen.add(sin.outputs[0]!);
    pairs.push({ cos, sin, form: 'folded' });
  }
  return pairs;
}

/** Recognises a table by its first row: cos of 0 is the attention scaling, sin of 0 is 0. */
function looksRotary(firstRow: FirstRow, weight: Weight): 'cos' | 'sin' | '' {
  if (weight.dims.length !== 2 || weight.element !== ELEMENT.float32) return '';
  const width = weight.dims[1]!;
  const row = firstRow(weight, 4 * width);
  if (!row) return '';
  const first = row.readFloatLE(0);
  for (let i = 0; i < width; i++) if (row.readFloatLE(4 * i) !== first) return '';
  return first === 0 ? 'sin' : first > 0.25 && first < 4 ? 'cos' : '';
}

/** Returns the layers whose nodes take the rows, up to the rotation itself. */
function layersOfRows({ consumers }: Index, name: string): number[] {
  const layers = new Set<number>();
  const queue = [name];
  const seen = new Set(queue);
  while (queue.length > 0) {
    for (const node of consumers.get(queue.pop()!) ?? []) {
      const layer = layerOf(node);
      if (layer >= 0) layers.add(layer);
      // What only reshapes the rows in one layer may hand them to others too.
      if (layer < 0 || (PASSES.has(node.op) && node.op !== 'Mul'))
        for (const out of node.outputs)
          if (!seen.has(out)) {
            seen.add(out);
            queue.push(out);
          }
    }
  }
  return [...layers].sort((a, b) => a - b);
}

/**
 * Finds every rotary table of a graph, in the order of the first layers that use them.
 *
 * @param firstRow reads the first bytes of a weight, in whatever file they are
 * @throws RopeEvalError `onnx_no_rope` if no table can be replaced, with what was seen;
 *   `onnx_rotary_node` if a node takes a table in an unknown way
 */
export function rotarySites(graph: Graph, firstRow: FirstRow): RotarySite[] {
  const index = indexOf(graph);
  const caches = cacheSites(graph, index);
  const sites = caches.length > 0 ? caches : rowSites(graph, index, firstRow);
  if (sites.length === 0) throw errors.noRope(whatIsThere(graph));
  return sites.sort((a, b) => (a.layers[0] ?? 0) - (b.layers[0] ?? 0));
}

/** Words the node types by which a person can recognise an export. */
function whatIsThere(graph: Graph): string {
  const attention = graph.nodes.filter((node) => /Attention|Rotary/.test(node.op));
  const kinds = [...new Set(attention.map((node) => `${node.op} (${node.name})`))];
  const loops = graph.nodes.find((node) => node.op === 'Loop' || node.op === 'Scan');
  if (loops) return `there is a ${loops.op} ("${loops.name}")`;
  if (kinds.length > 0) return `there is ${kinds.slice(0, 2).join(' and ')}`;
  return `${graph.nodes.length} nodes, none of them Cos, RotaryEmbedding or GroupQueryAttention with do_rotary`;
}
