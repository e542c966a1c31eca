import { isDeepStrictEqual } from 'node:util';
import { RopeEvalError } from '../errors.js';
import { isRecord, own, type UnknownRecord, withValueAt } from '../json/parse.js';
import { isNotRope, readModel } from '../model/read-model.js';
import { dialectOf } from '../model/registry.js';
import { classFields } from '../model/source.js';
import type { ModelGeometry } from '../model/types.js';
import type { Block } from '../rope/kind.js';
import { computeRope, type RopeSpec } from '../rope/registry.js';
import { blockInForce, type Edit, keptKeys, ORIGINAL, shapeOf } from './block.js';
import { type EmitInput, planOf } from './types.js';

/** Reads back what is written: a patch as transformers would, and an override key by key. */

/**
 * Reads an edited config as transformers would, and compares it with what was asked for. The check
 * is necessary because classes restrict what they read in many ways (a fixed list of rope types,
 * their own keys, a default block), and a patch that means something else is worse than none.
 *
 * @returns why the edits do not say what was asked; undefined if they do
 */
export function misreading(input: EmitInput, edits: readonly Edit[]): string | undefined {
  const edited = editedRecord(input.raw, edits);
  const read = readEdited(edited);
  if (typeof read === 'string') {
    return `the class of ${input.geometry.modelType} would refuse such a block: ${read}`;
  }
  for (const { layerType, rope } of input.groups) {
    const got = read.groups.find((group) => group.layerType === layerType)?.rope;
    if (got === undefined) {
      const kinds = read.groups.map((group) => group.layerType).join(', ');
      return `${read.modelType} would then have no ${layerType} layers, but ${kinds}`;
    }
    if (!sameTables(rope, got, [input.reference.trainedWindow, input.length])) {
      return `${read.modelType} would read it back as another table (${got.type}) on its ${layerType} layers`;
    }
  }
  return lostKey(input, edited) ?? changedShape(input.geometry, read);
}

/** Finds a key that the class reads, that the scaling does not own, and that the edits changed. */
function lostKey(input: EmitInput, edited: UnknownRecord): string | undefined {
  const { at } = shapeOf(edited);
  for (const group of input.groups) {
    const block = blockInForce({ ...input, raw: edited, groups: [group] });
    // transformers 5 copies an original window at the top level into the block.
    const read = { [ORIGINAL]: own(at, ORIGINAL), ...block };
    const lost = lostFrom(read, keptKeys(input, group.layerType), input);
    if (lost !== undefined) return lost;
  }
  return lostBeside(input, at);
}

/**
 * Finds a key that an override would take from the model's class: the block that it sets replaces
 * the one in force, which may be the file's, or the class's own.
 *
 * @param override the keys that it sets on the language model's config
 */
export function lostFromOverride(input: EmitInput, override: Block): string | undefined {
  const whole = override['rope_parameters'] ?? override['rope_scaling'];
  const perLayer = planOf(input).kind === 'per-layer';
  for (const { layerType } of perLayer ? input.groups : [input.groups[0]]) {
    const block = perLayer ? own(whole, layerType) : whole;
    const read = input.geometry.groups.find((group) => group.layerType === layerType);
    const partial = read?.partialRotaryFactor;
    // Engines read a partial rotary factor from the block alone.
    const wanted = {
      ...keptKeys(input, layerType),
      ...(partial !== undefined && { partial_rotary_factor: partial }),
    };
    const lost = lostFrom(isRecord(block) ? block : {}, wanted, input);
    if (lost !== undefined) return lost;
  }
  return lostBeside(input, { ...shapeOf(input.raw).at, ...override });
}

function lostFrom(block: Block, wanted: Block, { geometry }: EmitInput): string | undefined {
  const lost = Object.keys(wanted).find((key) => !isDeepStrictEqual(block[key], wanted[key]));
  return lost === undefined
    ? undefined
    : `${geometry.modelType} reads ${lost} in the block, which would not be ${JSON.stringify(wanted[lost])} any more`;
}

/** Compares the keys beside the block: all that the class reads, or all if it is not known. */
function lostBeside({ raw, geometry }: EmitInput, after: UnknownRecord): string | undefined {
  const { modelType } = geometry;
  const before = shapeOf(raw).at;
  const theta = dialectOf(modelType).thetaKey ?? 'rope_theta';
  const keys = classFields(modelType)?.keys() ?? Object.keys(before);
  const lost = [...keys].find((key) => {
    const [old, now] = [own(before, key), own(after, key)];
    // A scaling may move the original window, but a class that reads it needs a number.
    if (key === ORIGINAL) return typeof old === 'number' && typeof now !== 'number';
    return key !== theta && !OWNED_BESIDE.has(key) && !isDeepStrictEqual(old, now);
  });
  return lost && `${modelType} reads ${lost}, which would not be what it is any more`;
}

/** Keys beside the block that a scaling writes. */
const OWNED_BESIDE: ReadonlySet<string> = new Set([
  'rope_scaling',
  'rope_parameters',
  'max_position_embeddings',
]);

/** Finds what else the class would read differently: only tables and lengths may change. */
function changedShape(before: ModelGeometry, after: ModelGeometry): string | undefined {
  const [old, now] = [shapeRead(before), shapeRead(after)];
  const name = Object.keys(old).find((key) => !isDeepStrictEqual(old[key], now[key]));
  return name && `${after.modelType} would read back another value for ${name}`;
}

function shapeRead(model: ModelGeometry): Readonly<Record<string, unknown>> {
  return {
    'the type of the model': [model.modelType, model.architecture],
    'the order of pairs': [model.layout, model.pairOrder],
    'the layers without RoPE': model.layersWithoutRope,
    'the layers without attention': model.layersWithoutAttention,
    'the shape of the attention': [model.attention, model.bidirectional],
    'the softmax scale': model.unscaledSoftmaxScale,
    'the layers of each kind': model.groups.map(({ layerType, layers }) => [layerType, layers]),
    'the rotated share of a head': model.groups.map((group) => group.partialRotaryFactor),
  };
}

function readEdited(edited: UnknownRecord) {
  try {
    const model = readModel(edited);
    return isNotRope(model) ? 'no layer rotates' : model;
  } catch (error) {
    if (error instanceof RopeEvalError) return error.message;
    throw error;
  }
}

/** The parsed config after the edits. `patchConfig` makes the same changes to its text. */
export function editedRecord(raw: UnknownRecord, edits: readonly Edit[]): UnknownRecord {
  return edits.reduce((record, { path, value }) => withValueAt(record, path, value), raw);
}

/** Far below what a token's rotation can show, and far above the rounding of a computed theta. */
const TOLERANCE = 1e-6;

/** Whether two specs rotate alike at these lengths. */
export function sameTables(want: RopeSpec, got: RopeSpec, lengths: readonly number[]): boolean {
  return lengths.every((length) => {
    const a = computeRope(want, length);
    const b = computeRope(got, length);
    return (
      a.invFreq.length === b.invFreq.length &&
      close(a.attentionScaling, b.attentionScaling) &&
      a.invFreq.every((frequency, pair) => close(frequency, b.invFreq[pair] ?? Number.NaN))
    );
  });
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
}
