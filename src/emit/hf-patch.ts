import { isRecord, own } from '../json/parse.js';
import { dialectOf } from '../model/registry.js';
import { CLASS_DEFAULTS } from '../model/source.js';
import type { Block } from '../rope/kind.js';
import { effectiveTheta, scalingBlock } from '../rope/registry.js';
import { type ConfigShape, type Edit, keptKeys, ORIGINAL, shapeOf } from './block.js';
import { isUnchanged, maxPositionsFor } from './lengths.js';
import { misreading } from './read-back.js';
import { type Answer, type EmitGroup, type EmitInput, planOf } from './types.js';

/** The keys that a patch writes: those of transformers 4 or 5. */
export type ConfigForm = 'v4' | 'v5';

/** The edits of a config file, or why the file cannot express the scaling. */
export type HfPatch =
  | { readonly ok: true; readonly edits: readonly Edit[] }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly instead: string;
      /** Whether the other form can express it. */
      readonly otherForm?: true;
    };

/**
 * The form that the file uses, because older versions of transformers would ignore the newer one.
 * If layer types differ in a way that only the newer form can express, it is the newer one.
 */
export function formOf(input: EmitInput): ConfigForm {
  const { form } = shapeOf(input.raw);
  if (form === 'v5' || planOf(input).kind !== 'per-layer') return form;
  return patchIn(input, 'v4').ok ? 'v4' : 'v5';
}

/** The edits that write the scaling in one form, or why it cannot be written. */
export function hfPatch(input: EmitInput, form: ConfigForm): HfPatch {
  const patch = patchIn(input, form);
  if (patch.ok) return patch;
  const other = form === 'v4' ? 'v5' : 'v4';
  if (!patchIn(input, other).ok) return patch;
  return { ...patch, instead: `Write it as --form ${other}.`, otherForm: true };
}

/** Whether some form of config.json can say the scaling, so that what is made from it has it. */
export function isWritable(input: EmitInput): boolean {
  const patch = hfPatch(input, formOf(input));
  return patch.ok || patch.otherForm === true;
}

function patchIn(input: EmitInput, form: ConfigForm): HfPatch {
  const plan = planOf(input);
  if (plan.kind === 'none') return { ok: false, reason: plan.reason, instead: plan.instead };
  // The file says it already, and older classes may not accept another spelling.
  if (isUnchanged(input)) {
    return input.length > input.geometry.maxPositions
      ? checked(input, [], form)
      : { ok: true, edits: [] };
  }
  const shape = shapeOf(input.raw);
  if (plan.kind === 'per-layer') {
    if (input.groups.some(({ rope }) => rope.type === 'yarn' && !rope.truncate)) {
      return refused(TRUNCATE_UNREAD);
    }
    if (form === 'v4') return patchGlobal(input, shape);
    return checked(input, v5Edits(input, shape, perLayerBlocks(input, shape)), form);
  }
  const { group } = plan;
  return form === 'v4'
    ? checked(input, v4Edits(input, shape, group), form)
    : checked(input, v5Edits(input, shape, v5Block(group, input)), form);
}

/** Tries one older block, which some classes read for their global layers only. */
function patchGlobal(input: EmitInput, shape: ConfigShape): HfPatch {
  const [global, ...others] = input.groups;
  if (others.some(({ rope }) => scalingBlock(rope) !== undefined)) return refused(NO_LEGACY_BLOCKS);
  const patch = checked(input, v4Edits(input, shape, global), 'v4');
  return patch.ok ? patch : refused(NO_LEGACY_BLOCKS);
}

/** Adds the length edits, reads the result back and compares it with what was asked. */
function checked(input: EmitInput, block: readonly Edit[], form: ConfigForm): HfPatch {
  const edits = [...block, ...lengthEdits(input, form)];
  const reason = misreading(input, edits);
  return reason === undefined ? { ok: true, edits } : refused(reason);
}

/** The answer of an engine that has no words for a scaling. */
export function intoFile(input: EmitInput, reason: string): Answer {
  const instead = isWritable(input)
    ? 'Write it into config.json (emit … --engine hf --write), or choose another scaling.'
    : OTHER_WAY;
  return { ok: false, reason, instead };
}

/** What is left where neither an engine nor config.json can say a scaling. */
export const OTHER_WAY = 'Choose another scaling, or another engine.';

function refused(reason: string): HfPatch {
  return { ok: false, reason, instead: OTHER_WAY };
}

const NO_LEGACY_BLOCKS = 'rope_scaling cannot say that kinds of layers differ';

/** transformers 5 looks for `truncate` beside the blocks of the layer types and not in them. */
const TRUNCATE_UNREAD =
  'truncate=false is not read in a block per layer type, so that the ramp would be rounded';

function v4Edits(input: EmitInput, { at, prefix }: ConfigShape, group: EmitGroup): Edit[] {
  const block = threeKeys(group, input) ?? scalingBlock(group.rope);
  const kept = keptKeys(input, group.layerType);
  return [
    {
      path: [...prefix, 'rope_scaling'],
      value: block ? { ...block, ...kept, ...block } : emptyBlock(kept, input),
    },
    ...v4Theta(input, at, group).map((theta) => ({
      path: [...prefix, thetaKeyOf(input)],
      value: theta,
    })),
    ...(Object.hasOwn(at, 'rope_parameters')
      ? [{ path: [...prefix, 'rope_parameters'], value: undefined }]
      : []),
  ];
}

/**
 * Writes longrope with exactly three keys, as Phi-3's class in transformers 4 requires. The
 * original window goes to the top level, and the factor follows from the two windows.
 */
function threeKeys({ rope }: EmitGroup, input: EmitInput): Block | undefined {
  if (!needsThreeKeys(input) || rope.type !== 'longrope') return undefined;
  const { originalMaxPositions: original, shortFactor, longFactor } = rope;
  const derived = maxPositionsFor(input) / original;
  if (rope.factor !== derived || rope.attentionFactor !== undefined) return undefined;
  return { type: 'longrope', short_factor: shortFactor, long_factor: longFactor };
}

/** Whether the class of this model accepts only the three keys of `threeKeys`. */
export function needsThreeKeys({ geometry }: EmitInput): boolean {
  return ['phi3', 'phi4_multimodal'].includes(geometry.modelType);
}

/** The theta to write beside the block; none if that place or the class has the same one. */
function v4Theta(input: EmitInput, at: Block, { rope }: EmitGroup): number[] {
  const theta = effectiveTheta(rope);
  const beside = own(at, thetaKeyOf(input));
  if (beside !== undefined) return beside === theta ? [] : [theta];
  // Both blocks are replaced, and any theta in them is lost.
  const inside = [at['rope_parameters'], at['rope_scaling']].some(
    (block) => own(block, 'rope_theta') !== undefined,
  );
  return !inside && theta === input.geometry.groups[0]?.unscaled.theta ? [] : [theta];
}

function thetaKeyOf({ geometry }: EmitInput): string {
  return dialectOf(geometry.modelType).thetaKey ?? 'rope_theta';
}

/**
 * Writes a block without a scaling. Kept keys need a block around them, and a class with a default
 * scaling would use it in place of an empty block. Otherwise null is how configs write "no
 * scaling".
 */
function emptyBlock(kept: Block, { geometry }: EmitInput): unknown {
  const classBlock = CLASS_DEFAULTS.get(geometry.modelType)?.block;
  return Object.keys(kept).length > 0 || classBlock !== undefined
    ? { rope_type: 'default', ...kept }
    : null;
}

function v5Edits(input: EmitInput, { at, prefix }: ConfigShape, value: Block): Edit[] {
  const theta = effectiveTheta(input.groups[0].rope);
  const key = thetaKeyOf(input);
  const outer = own(at, key);
  return [
    { path: [...prefix, 'rope_parameters'], value },
    // A non-empty rope_scaling would replace rope_parameters, and two thetas confuse readers.
    ...(isRecord(at['rope_scaling'])
      ? [{ path: [...prefix, 'rope_scaling'], value: undefined }]
      : []),
    ...(outer === undefined || outer === theta ? [] : [{ path: [...prefix, key], value: theta }]),
  ];
}

/** Writes a block for each layer type. Blocks of other types and null blocks stay. */
function perLayerBlocks(input: EmitInput, shape: ConfigShape): Block {
  const given = own(shape.at, 'rope_parameters');
  const old = Object.entries(isRecord(given) ? given : {});
  return Object.fromEntries([
    ...old.filter(([, block]) => block === null || isRecord(block)),
    ...input.groups.map((group) => [group.layerType, v5Block(group, input)] as const),
  ]);
}

function v5Block({ rope, layerType }: EmitGroup, input: EmitInput): Block {
  const scaling = {
    ...(scalingBlock(rope) ?? { rope_type: 'default' }),
    rope_theta: effectiveTheta(rope),
  };
  return { ...scaling, ...keptKeys(input, layerType), ...scaling };
}

function lengthEdits(input: EmitInput, form: ConfigForm): Edit[] {
  const { at, prefix } = shapeOf(input.raw);
  const { rope } = input.groups[0];
  const wanted = maxPositionsFor(input);
  const edits: Edit[] = [];
  const limit = 'max_position_embeddings';
  // Dynamic scaling starts from this key, so the class's default must not be used.
  const needed = rope.type === 'dynamic' && !Object.hasOwn(at, limit);
  if (needed || wanted !== input.geometry.maxPositions)
    edits.push({ path: [...prefix, limit], value: wanted });
  // The top level beats the block, so a stale value there would win. For longrope, transformers 4
  // reads no other place.
  const original = 'originalMaxPositions' in rope ? rope.originalMaxPositions : undefined;
  const onTop = Object.hasOwn(at, ORIGINAL) || (form === 'v4' && rope.type === 'longrope');
  // A scaling without an original window keeps the old one: it says what was trained, and some
  // classes require a number.
  if (onTop && original !== undefined && at[ORIGINAL] !== original)
    edits.push({ path: [...prefix, ORIGINAL], value: original });
  return edits;
}
