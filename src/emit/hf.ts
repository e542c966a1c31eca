import { isRecord } from '../config/json.js';
import { effectiveTheta, keptKeys, scalingBlock, type Block } from './block.js';
import { shapeOf, writtenBlock, type ConfigShape } from './config-shape.js';
import { maxPositionsFor } from './lengths.js';
import type { Edit } from './patch.js';
import type { Emission, EmitGroup, EmitInput, Emitter, Note, Setting } from './types.js';

export type Form = 'v4' | 'v5';

/** The config.json itself, in transformers' two forms. */
export const hf: Emitter = (input) => {
  const shape = shapeOf(input.raw);
  const forms = (['v4', 'v5'] as const).map((form) => ({ form, edits: hfEdits(input, form) }));
  const settings = forms.flatMap(({ form, edits }): Setting[] => {
    if (!edits) return [];
    return [{ ...TITLES[form], kind: 'json', text: patchText(edits, shape) }];
  });
  const result: Emission = { ok: true, engine: 'hf', settings, notes: notesOf(input) };
  return result;
};

const TITLES = Object.freeze({
  v4: {
    title: 'config.json, rope_scaling',
    versions: 'transformers 4.45 and later (5 converts it when it loads)',
  },
  v5: { title: 'config.json, rope_parameters', versions: 'transformers 5' },
});

/** The form that the file already uses. */
export function formOf(input: EmitInput): Form {
  return input.groups.length > 1 ? 'v5' : shapeOf(input.raw).form;
}

/**
 * What changes in the file; undefined where the form cannot say it: `rope_scaling` has no way to
 * treat kinds of layers differently.
 */
export function hfEdits(input: EmitInput, form: Form): readonly Edit[] | undefined {
  const shape = shapeOf(input.raw);
  const edits = form === 'v4' ? v4Edits(input, shape) : v5Edits(input, shape);
  return edits && [...edits, ...lengthEdits(input, shape)];
}

function v4Edits(input: EmitInput, shape: ConfigShape): Edit[] | undefined {
  const { at, prefix } = shape;
  const [group, ...others] = input.groups;
  if (others.length > 0) return undefined;
  const block = scalingBlock(group.rope);
  const kept = keptKeys(writtenBlock(shape, group.layerType));
  const theta = effectiveTheta(group.rope);
  const written = own(at, 'rope_theta') ?? own(at['rope_parameters'], 'rope_theta');
  return [
    { path: [...prefix, 'rope_scaling'], value: block ? { ...block, ...kept } : emptyBlock(kept) },
    ...(theta === written ||
    (written === undefined && theta === input.geometry.groups[0]?.unscaled.theta)
      ? []
      : [{ path: [...prefix, 'rope_theta'], value: theta }]),
    ...(Object.hasOwn(at, 'rope_parameters')
      ? [{ path: [...prefix, 'rope_parameters'], value: undefined }]
      : []),
  ];
}

/** Kept keys need a block to stand in; without any, null is what configs write for "no scaling". */
function emptyBlock(kept: Block): unknown {
  return Object.keys(kept).length > 0 ? { rope_type: 'default', ...kept } : null;
}

function v5Edits(input: EmitInput, shape: ConfigShape): Edit[] {
  const { at, prefix } = shape;
  const [first, ...others] = input.groups;
  const value =
    others.length === 0
      ? v5Block(first, shape)
      : Object.fromEntries(input.groups.map((group) => [group.layerType, v5Block(group, shape)]));
  const theta = effectiveTheta(first.rope);
  const outer = own(at, 'rope_theta');
  return [
    { path: [...prefix, 'rope_parameters'], value },
    // A non-empty rope_scaling would replace rope_parameters, and two thetas confuse readers.
    ...(isRecord(at['rope_scaling'])
      ? [{ path: [...prefix, 'rope_scaling'], value: undefined }]
      : []),
    ...(outer === undefined || outer === theta
      ? []
      : [{ path: [...prefix, 'rope_theta'], value: theta }]),
  ];
}

function v5Block({ rope, layerType }: EmitGroup, shape: ConfigShape): Block {
  return {
    ...(scalingBlock(rope) ?? { rope_type: 'default' }),
    rope_theta: effectiveTheta(rope),
    ...keptKeys(writtenBlock(shape, layerType)),
  };
}

function lengthEdits(input: EmitInput, { at, prefix }: ConfigShape): Edit[] {
  const { rope } = input.groups[0];
  const current = input.geometry.maxPositions;
  const wanted = maxPositionsFor(input);
  const edits: Edit[] = [];
  if (wanted !== current)
    edits.push({ path: [...prefix, 'max_position_embeddings'], value: wanted });
  // The top level beats the block, so a stale value there would win.
  const original = 'originalMaxPositions' in rope ? rope.originalMaxPositions : undefined;
  const key = 'original_max_position_embeddings';
  if (Object.hasOwn(at, key) && at[key] !== original) {
    edits.push({ path: [...prefix, key], value: original });
  }
  return edits;
}

function notesOf(input: EmitInput): Note[] {
  const { rope } = input.groups[0];
  const notes: Note[] = [];
  if (rope.type === 'dynamic') {
    notes.push({
      kind: 'derives',
      text: `Equal to no scaling up to ${rope.maxPositions} tokens, then recomputed for the longest length seen; keys already in the cache keep the frequencies they were written with.`,
    });
  }
  if (rope.type === 'yarn' || rope.type === 'linear' || rope.type === 'ntk') {
    notes.push({
      kind: 'static',
      text: 'The same table at every length: short requests pay for it too.',
    });
  }
  if (rope.type === 'longrope') {
    notes.push({
      kind: 'derives',
      text: `Switches from the short to the long factors above ${rope.originalMaxPositions} tokens; a cache filled before the switch does not match the table after it.`,
    });
  }
  return notes;
}

/** The edited keys as one JSON object, nested as in the file. */
function patchText(edits: readonly Edit[], { prefix }: ConfigShape): string {
  const entries = edits.map(({ path, value }) => [path.at(-1) ?? '', value ?? null] as const);
  const inner: unknown = Object.fromEntries(entries);
  const whole = prefix.reduceRight<unknown>((value, key) => ({ [key]: value }), inner);
  return JSON.stringify(whole, null, 2);
}

function own(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
