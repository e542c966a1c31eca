import { isNotRope, readModel } from '../config/index.js';
import { isRecord, type UnknownRecord } from '../config/json.js';
import { RopeEvalError } from '../errors.js';
import { computeRope } from '../rope/index.js';
import type { RopeSpec } from '../rope/types.js';
import type { Edit } from './patch.js';
import type { EmitInput } from './types.js';

/**
 * Reads the edited config as transformers would, and compares. Classes restrict what they read in
 * many ways (a fixed list of rope types, keys of their own, a block of the class where the file has
 * none), and a patch that comes back as something else is worse than none.
 *
 * @returns why the edits do not say what was asked; undefined where they do
 */
export function misreading(input: EmitInput, edits: readonly Edit[]): string | undefined {
  const read = readEdited(input.raw, edits);
  if (typeof read === 'string') return `transformers would not read it back: ${read}`;
  for (const { layerType, rope } of input.groups) {
    const got = read.groups.find((group) => group.layerType === layerType)?.rope;
    if (
      got === undefined ||
      !sameTables(rope, got, [input.reference.trainedWindow, input.length])
    ) {
      if (got === undefined) {
        const kinds = read.groups.map((group) => group.layerType).join(', ');
        return `${read.modelType} would then have no ${layerType} layers, but ${kinds}`;
      }
      return `${read.modelType} would read it back as another table (${got.type}) on its ${layerType} layers`;
    }
  }
  return undefined;
}

function readEdited(raw: UnknownRecord, edits: readonly Edit[]) {
  try {
    const model = readModel(editedRecord(raw, edits));
    return isNotRope(model) ? 'no layer rotates' : model;
  } catch (error) {
    if (error instanceof RopeEvalError) return error.message;
    throw error;
  }
}

/** The parsed config after the edits; `patchConfig` does the same to its text. */
export function editedRecord(raw: UnknownRecord, edits: readonly Edit[]): UnknownRecord {
  return edits.reduce((record, { path, value }) => withKey(record, path, value), raw);
}

function withKey(
  record: UnknownRecord,
  [key = '', ...rest]: readonly string[],
  value: unknown,
): UnknownRecord {
  const others = Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));
  if (rest.length === 0) return value === undefined ? others : { ...others, [key]: value };
  const inner = record[key];
  return { ...others, [key]: withKey(isRecord(inner) ? inner : {}, rest, value) };
}

/** Far below what a token's rotation shows, far above the noise of a theta that was computed. */
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
