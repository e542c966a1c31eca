import { errors } from './refusals.js';
import {
  bytesField,
  type ByteSource,
  type Field,
  fieldsOf,
  numberField,
  type Range,
  signed,
} from './wire.js';

/**
 * Reads and edits an ONNX model as a graph of nodes, weights, inputs and outputs. Everything that
 * is not edited is copied byte for byte. Weights are known by their place in the file and are never
 * loaded.
 *
 * The field numbers are those of onnx.proto3 (ModelProto, GraphProto, NodeProto, TensorProto).
 */

/** A node of a graph (NodeProto). */
export interface Node {
  readonly name: string;
  readonly op: string;
  /** The operator set; `''` is ai.onnx. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, number | readonly number[] | string | Range>;
  /** The names that its subgraphs use, whether their own or those of the surrounding graph. */
  readonly captured: readonly string[];
  readonly bytes: Buffer;
}

/** The element types of rotary tables and hidden states (TensorProto.DataType). */
export const ELEMENT = Object.freeze({
  float32: 1,
  int32: 6,
  int64: 7,
  float16: 10,
  float64: 11,
  bfloat16: 16,
});

/** A weight (TensorProto), without its values. */
export interface Weight {
  readonly name: string;
  readonly element: number;
  readonly dims: readonly number[];
  /** Where its values are in the model file; absent: in another file or in typed fields. */
  readonly raw?: Range;
  /** Where its values are in another file. */
  readonly external?: {
    readonly location: string;
    readonly offset: number;
    readonly length?: number;
  };
  readonly range: Range;
}

/** Bytes of one value, for the element types of weights other than float32. */
const VALUE_BYTES: Readonly<Record<number, number>> = Object.freeze({
  [ELEMENT.float16]: 2,
  [ELEMENT.bfloat16]: 2,
  [ELEMENT.int64]: 8,
  [ELEMENT.float64]: 8,
  2: 1, // uint8
  3: 1, // int8
  9: 1, // bool
  21: 0.5, // uint4
  22: 0.5, // int4
});

/** Returns the size of a weight's values in bytes, also if the file does not say it. */
export function bytesOf({ raw, external, dims, element }: Weight): number {
  const values = dims.reduce((product, size) => product * size, 1);
  return raw?.length ?? external?.length ?? Math.ceil(values * (VALUE_BYTES[element] ?? 4));
}

/** An input or output of a graph (ValueInfoProto of a tensor). */
export interface Port {
  readonly name: string;
  readonly element: number;
  /** Sizes, or the names of sizes that the graph leaves open. */
  readonly dims: readonly (number | string)[];
}

/** A model as a graph, with the file that it was read from. */
export interface Graph {
  readonly source: ByteSource;
  readonly nodes: readonly Node[];
  readonly weights: ReadonlyMap<string, Weight>;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The version of each operator set, by its domain. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producer: string;
  /** Other fields of the model besides its graph, and of the graph besides the above. */
  readonly rest: { readonly model: readonly Buffer[]; readonly graph: readonly Buffer[] };
}

/** The largest field of a graph's structure. Weights are not subject to this limit. */
const STRUCTURE_BYTES = 1 << 28;

const isRange = (field: Field): field is Field & Range => 'from' in field;

function text(source: ByteSource, field: Field): string {
  if (!isRange(field)) throw errors.damaged('a text is a number');
  return source.read(field.from, field.length).toString('utf8');
}

/** Copies a field unchanged, tag included. */
function copy(source: ByteSource, field: Field): Buffer {
  if (!isRange(field)) return numberField(field.number, field.value);
  if (field.length > STRUCTURE_BYTES) throw errors.damaged('a part of its structure is too large');
  return bytesField(field.number, Buffer.from(source.read(field.from, field.length)));
}

function numbers(source: ByteSource, field: Field): number[] {
  if (!isRange(field)) return [signed(field.value)];
  const out: number[] = []; // A packed field.
  const bytes = source.read(field.from, field.length);
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) {
      out.push(signed(value));
      value = 0n;
      shift = 0n;
    } else shift += 7n;
  }
  return out;
}

function readAttribute(source: ByteSource, range: Range) {
  let name = '';
  let value: number | number[] | string | Range | undefined;
  const captured: string[] = [];
  for (const field of fieldsOf(source, range)) {
    if (field.number === 1) name = text(source, field);
    else if (field.number === 2 && isRange(field))
      value = source.read(field.from, 4).readFloatLE(0);
    else if (field.number === 3) value = numbers(source, field)[0]!;
    else if (field.number === 4) value = text(source, field);
    else if (field.number === 5 && isRange(field)) value = field;
    else if (field.number === 6 && isRange(field)) captured.push(...namesIn(source, field));
    else if (field.number === 8)
      value = [...((value as number[] | undefined) ?? []), ...numbers(source, field)];
  }
  return { name, value, captured };
}

/** Reads a message of two texts or numbers, whose fields have the numbers 1 and 2. */
function readPair(source: ByteSource, range: Range): readonly [Field?, Field?] {
  const fields = [...fieldsOf(source, range)];
  return [1, 2].map((number) => fields.findLast((each) => each.number === number)) as [
    Field?,
    Field?,
  ];
}

/** Returns the names that a subgraph uses: the inputs of its nodes, and its outputs. */
function namesIn(source: ByteSource, range: Range): string[] {
  return [...fieldsOf(source, range)].flatMap((field) => {
    if (!isRange(field)) return [];
    if (field.number === 1) return readNode(source, field).inputs;
    return field.number === 12 ? [readPort(source, field).name] : [];
  });
}

function readNode(source: ByteSource, range: Range): Node {
  const node = {
    name: '',
    op: '',
    domain: '',
    inputs: [] as string[],
    outputs: [] as string[],
    captured: [] as string[],
  };
  const attributes = new Map<string, number | readonly number[] | string | Range>();
  for (const field of fieldsOf(source, range)) {
    if (field.number === 1) node.inputs.push(text(source, field));
    else if (field.number === 2) node.outputs.push(text(source, field));
    else if (field.number === 3) node.name = text(source, field);
    else if (field.number === 4) node.op = text(source, field);
    else if (field.number === 7) node.domain = text(source, field);
    else if (field.number === 5 && isRange(field)) {
      const { name, value, captured } = readAttribute(source, field);
      node.captured.push(...captured);
      if (value !== undefined) attributes.set(name, value);
    }
  }
  if (node.domain === 'ai.onnx') node.domain = '';
  const bytes = Buffer.from(source.read(range.from, range.length));
  return { ...node, attributes, bytes };
}

/** Reads a TensorProto, which is a weight of the graph or an attribute of a node. */
function readWeight(source: ByteSource, range: Range): Weight {
  let name = '';
  let element = 0;
  let raw: Range | undefined;
  let elsewhere = false;
  const dims: number[] = [];
  const external = new Map<string, string>();
  for (const field of fieldsOf(source, range)) {
    if (field.number === 1) dims.push(...numbers(source, field));
    else if (field.number === 2) element = numbers(source, field)[0]!;
    else if (field.number === 8) name = text(source, field);
    else if (field.number === 9 && isRange(field)) raw = field;
    else if (field.number === 14) elsewhere = numbers(source, field)[0] === 1;
    else if (field.number === 13 && isRange(field)) {
      const [key, value] = readPair(source, field);
      external.set(key ? text(source, key) : '', value ? text(source, value) : '');
    }
  }
  const length = external.get('length');
  const place = (value: string): number => {
    const at = Number(value);
    if (Number.isSafeInteger(at) && at >= 0) return at;
    throw errors.damaged(`weight "${name}" lies at "${value}" of another file`);
  };
  return {
    name,
    element,
    dims,
    range,
    ...(raw && !elsewhere ? { raw } : {}),
    ...(elsewhere
      ? {
          external: {
            location: external.get('location') ?? '',
            offset: place(external.get('offset') ?? '0'),
            ...(length === undefined ? {} : { length: place(length) }),
          },
        }
      : {}),
  };
}

function readPort(source: ByteSource, range: Range): Port {
  let name = '';
  let element = 0;
  const dims: (number | string)[] = [];
  const inside = (parent: Range, number: number): Range[] =>
    [...fieldsOf(source, parent)].flatMap((f) => (f.number === number && isRange(f) ? [f] : []));
  for (const field of fieldsOf(source, range)) if (field.number === 1) name = text(source, field);
  for (const tensor of inside(range, 2).flatMap((type) => inside(type, 1))) {
    for (const field of fieldsOf(source, tensor))
      if (field.number === 1) element = numbers(source, field)[0]!;
    for (const dim of inside(tensor, 2).flatMap((shape) => inside(shape, 1))) {
      const [size, name] = readPair(source, dim);
      dims.push(size ? numbers(source, size)[0]! : name ? text(source, name) : '?');
    }
  }
  return { name, element, dims };
}

/**
 * Reads the graph of a model file. The values of weights stay where they are.
 *
 * @throws RopeEvalError exit 2 if the file is not an ONNX model, or uses something that cannot be
 *   edited
 */
export function readGraph(source: ByteSource): Graph {
  const opsets = new Map<string, number>();
  const model: Buffer[] = [];
  let producer = '';
  let range: Range | undefined;
  for (const field of fieldsOf(source, { from: 0, length: source.size })) {
    if (field.number === 7 && isRange(field)) {
      range = field;
      continue;
    }
    if (field.number === 25) throw errors.functions();
    if (field.number === 2) producer = text(source, field);
    if (field.number === 8 && isRange(field)) {
      const [name, version] = readPair(source, field);
      const domain = name ? text(source, name) : '';
      opsets.set(domain === 'ai.onnx' ? '' : domain, version ? numbers(source, version)[0]! : 0);
    }
    model.push(copy(source, field));
  }
  if (!range || opsets.size === 0) throw errors.damaged('it holds no graph');
  const nodes: Node[] = [];
  const weights = new Map<string, Weight>();
  const inputs: Port[] = [];
  const outputs: Port[] = [];
  const graph: Buffer[] = [];
  for (const field of fieldsOf(source, range)) {
    if (isRange(field) && field.number === 1) nodes.push(readNode(source, field));
    else if (isRange(field) && field.number === 5) {
      const weight = readWeight(source, field);
      weights.set(weight.name, weight);
    } else if (isRange(field) && field.number === 11) inputs.push(readPort(source, field));
    else if (isRange(field) && field.number === 12) outputs.push(readPort(source, field));
    // The types of inner values are dropped, because those of values that an edit changes would be
    // wrong.
    else if (field.number !== 13) graph.push(copy(source, field));
  }
  return { source, nodes, weights, inputs, outputs, opsets, producer, rest: { model, graph } };
}

/** A node that an edit adds. */
export interface NewNode {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number>>;
}

/** Writes a NodeProto with integer attributes. */
function nodeBytes({ op, domain = '', inputs, outputs, attributes = {} }: NewNode): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => bytesField(1, name)),
    ...outputs.map((name) => bytesField(2, name)),
    bytesField(3, `rope-eval/${outputs[0] ?? op}`),
    bytesField(4, op),
    ...Object.entries(attributes).map(([name, value]) =>
      bytesField(
        5,
        Buffer.concat([bytesField(1, name), numberField(3, value), numberField(20, 2)]),
      ),
    ),
    ...(domain ? [bytesField(7, domain)] : []),
  ]);
}

function renamedInputs(node: Node, names: ReadonlyMap<string, string>): Buffer {
  const { bytes } = node;
  const source: ByteSource = {
    size: bytes.length,
    read: (from, length) => bytes.subarray(from, from + length),
  };
  return Buffer.concat(
    [...fieldsOf(source, { from: 0, length: bytes.length })].map((field) => {
      if (field.number !== 1) return copy(source, field);
      const name = text(source, field);
      return bytesField(1, names.get(name) ?? name);
    }),
  );
}

/** Writes the ValueInfoProto of a tensor. */
function portBytes({ name, element, dims }: Port): Buffer {
  const shape = Buffer.concat(
    dims.map((d) => bytesField(1, typeof d === 'number' ? numberField(1, d) : bytesField(2, d))),
  );
  const tensor = Buffer.concat([numberField(1, element), bytesField(2, shape)]);
  return Buffer.concat([bytesField(1, name), bytesField(2, bytesField(1, tensor))]);
}

/** Makes the edit that removes everything that these tensors do not need. */
export function prunedTo(
  graph: Graph,
  wanted: readonly string[],
): Required<Pick<GraphEdit, 'withoutNodes' | 'withoutWeights'>> & { inputs: Set<string> } {
  const producer = new Map(graph.nodes.flatMap((n) => n.outputs.map((name) => [name, n] as const)));
  const names = new Set(wanted);
  const nodes = new Set<Node>();
  // Iterating over a set includes what is added meanwhile.
  for (const name of names) {
    const node = producer.get(name);
    if (!node || nodes.has(node)) continue;
    nodes.add(node);
    for (const input of [...node.inputs, ...node.captured]) if (input) names.add(input);
  }
  return {
    withoutNodes: new Set(graph.nodes.filter((node) => !nodes.has(node))),
    withoutWeights: new Set([...graph.weights.keys()].filter((name) => !names.has(name))),
    inputs: new Set(graph.inputs.map((p) => p.name).filter((name) => names.has(name))),
  };
}

/** The changes that an edited graph has. */
export interface GraphEdit {
  readonly withoutNodes?: ReadonlySet<Node>;
  readonly withoutWeights?: ReadonlySet<string>;
  readonly addedInputs?: readonly Port[];
  readonly addedNodes?: readonly NewNode[];
  /** The outputs that replace the graph's own. */
  readonly outputs?: readonly Port[];
  readonly withoutInputs?: ReadonlySet<string>;
  /** For each node, the new names of inputs by their old ones. */
  readonly rewired?: ReadonlyMap<Node, ReadonlyMap<string, string>>;
}

/** Smaller weights stay in the graph, because the runtime wants shapes and scalars at hand. */
const INLINE_BYTES = 1024;

/** Writes a weight whose values stay where they are, in the model file. */
function elsewhere(weight: Weight & { raw: Range }, file: string): Buffer {
  const entry = (key: string, value: string | number): Buffer =>
    bytesField(13, Buffer.concat([bytesField(1, key), bytesField(2, String(value))]));
  return Buffer.concat([
    ...weight.dims.map((d) => numberField(1, d)),
    numberField(2, weight.element),
    bytesField(8, weight.name),
    entry('location', file),
    entry('offset', weight.raw.from),
    entry('length', weight.raw.length),
    numberField(14, 1),
  ]);
}

/**
 * Writes an edited model. Large weights refer to their place in `file`. A model of any size thus
 * becomes a small buffer, and its weights are mapped and never copied.
 *
 * @param file name of the model file; it must be in the folder of the files that hold its weights
 */
export function editedModel(graph: Graph, edit: GraphEdit, file: string): Buffer {
  const { source } = graph;
  const weights = [...graph.weights.values()].filter((w) => !edit.withoutWeights?.has(w.name));
  const removed = new Set([...(edit.withoutWeights ?? [])]);
  // A graph may list a weight among its inputs too. If the edit removes or feeds it, that entry is
  // replaced by the added input.
  const fed = new Set((edit.addedInputs ?? []).map((port) => port.name));
  const inputs = graph.inputs.filter(
    ({ name }) => !removed.has(name) && !fed.has(name) && !edit.withoutInputs?.has(name),
  );
  const body = [
    ...graph.nodes
      .filter((node) => !edit.withoutNodes?.has(node))
      .map((node) => {
        const names = edit.rewired?.get(node);
        return bytesField(1, names ? renamedInputs(node, names) : node.bytes);
      }),
    ...(edit.addedNodes ?? []).map((node) => bytesField(1, nodeBytes(node))),
    ...graph.rest.graph,
    ...weights.map((w) =>
      bytesField(
        5,
        w.raw && w.raw.length >= INLINE_BYTES
          ? elsewhere({ ...w, raw: w.raw }, file)
          : Buffer.from(source.read(w.range.from, w.range.length)),
      ),
    ),
    ...[...inputs, ...(edit.addedInputs ?? [])].map((port) => bytesField(11, portBytes(port))),
    ...(edit.outputs ?? graph.outputs).map((port) => bytesField(12, portBytes(port))),
  ];
  return Buffer.concat([...graph.rest.model, bytesField(7, Buffer.concat(body))]);
}
