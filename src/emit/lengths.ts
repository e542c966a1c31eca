import { isDeepStrictEqual } from 'node:util';
import { extensionOf, kindOf, type RopeSpec, stretchedWindow } from '../rope/registry.js';
import { tokens, trim } from '../text.js';
import type { Answer, EmitInput, Note } from './types.js';

/**
 * How serving engines derive the maximum length from a config. They differ, so that a config that
 * is right for one engine makes another serve twice the length.
 */

/** What the length is derived from: `max_position_embeddings`, or a factor times a window. */
export type LengthRule = 'max' | 'factor-max' | 'factor-original';

/** The tokens that an engine derives from a config with this `max_position_embeddings`. */
export function derivedLength(rule: LengthRule, rope: RopeSpec, maxPositions: number): number {
  if (rule === 'factor-original' && rope.type === 'yarn') {
    return Math.floor(rope.originalMaxPositions * rope.factor);
  }
  if (rule === 'factor-max' && 'factor' in rope) return Math.floor(maxPositions * rope.factor);
  return maxPositions;
}

/**
 * The `max_position_embeddings` to write beside a scaling: what the rope kind requires, or else the
 * length to be served if the config's is shorter.
 */
export function maxPositionsFor(input: EmitInput): number {
  const { rope } = input.groups[0];
  const { length, geometry, trained } = input;
  const written = geometry.maxPositions;
  const stretched = stretchedWindow(rope, trained, input.reference.trainedWindow);
  const lengths = { written, window: baseWindow(input), stretched, length };
  return kindOf(rope).limitBeside?.(rope, lengths) ?? Math.max(written, length);
}

/**
 * Tokens that the base frequencies cover: the trained window, or the original window if the weights
 * were trained with a scaling, which a new block replaces.
 */
function baseWindow({ trained, reference }: EmitInput): number {
  const under = 'originalMaxPositions' in trained && trained.originalMaxPositions;
  return (reference.kind === 'configured' && under) || reference.trainedWindow;
}

/** The length that an engine serves, and whether that needs another `max_position_embeddings`. */
export interface Limit {
  readonly rule: LengthRule;
  /** Tokens that the engine would serve with the file's `max_position_embeddings`. */
  readonly derived: number;
  readonly raised: boolean;
  /** The `max_position_embeddings` to write; absent if the file's is right. */
  readonly maxPositions?: number;
  /** Whether more tokens are asked for than the engine accepts. */
  readonly refused: boolean;
}

/** Computes the length that an engine with this rule serves, and what must be written for it. */
export function limitOf(input: EmitInput, rule: LengthRule): Limit {
  const { geometry, length } = input;
  const { rope } = input.groups[0];
  const derived = derivedLength(rule, rope, geometry.maxPositions);
  const short = derived < length;
  // Raising the key has no effect if the engine derives the length from something else.
  const raised = short && rule === 'max';
  const maxPositions = raised ? length : rule === 'factor-max' ? unscaledLimit(input) : undefined;
  return {
    rule,
    derived,
    raised,
    ...(maxPositions !== undefined && { maxPositions }),
    refused: short && !raised,
  };
}

/**
 * The `max_position_embeddings` for linear scaling if the file's includes a trained-in extension.
 * Engines build `factor` times as many rows of the table, and would serve as many tokens.
 *
 * @returns undefined if the file's is right
 */
export function unscaledLimit(input: EmitInput): number | undefined {
  const { rope } = input.groups[0];
  if (rope.type !== 'linear') return undefined;
  const limit = Math.max(baseWindow(input), Math.ceil(input.length / rope.factor));
  return limit < input.geometry.maxPositions ? limit : undefined;
}

/** Refuses lengths beyond vLLM's table for YaRN, which has factor x original window rows. */
export function shortTable({ groups, length }: EmitInput): Answer | undefined {
  const ends = groups.flatMap(({ rope }) =>
    rope.type === 'yarn' ? [Math.floor(rope.factor * rope.originalMaxPositions)] : [],
  );
  const end = Math.min(...ends);
  if (end >= length) return undefined;
  return {
    ok: false,
    reason: `its table for YaRN ends at factor x original window, ${tokens(end)} tokens, and ${tokens(length)} are to be served`,
    instead: 'Serve fewer tokens, or choose a larger factor.',
  };
}

/** Whether the config expresses the scaling already. */
export function isUnchanged({ groups, geometry }: EmitInput): boolean {
  return groups.every(({ rope, layerType }) =>
    geometry.groups.some(
      (group) => group.layerType === layerType && isDeepStrictEqual(group.rope, rope),
    ),
  );
}

/**
 * Warns if the scaling extends the window to less than the length to be served. Engines with an
 * option for the length do not compare the two.
 */
export function coverageNotes(input: EmitInput): Note[] {
  const covered = coveredLength(input);
  if (covered === undefined || covered >= input.length) return [];
  return [
    {
      kind: 'needs',
      text: `${input.label} covers ${covered} tokens only, and ${input.length} are to be served; choose a larger factor.`,
    },
  ];
}

/** Tokens; undefined if the scaling implies no length, or depends on the length (dynamic). */
function coveredLength({ groups, reference, trained }: EmitInput): number | undefined {
  const { rope } = groups[0];
  const says =
    rope.type === 'yarn' ||
    rope.type === 'linear' ||
    // If the scaling replaces a trained-in one, that one's part of the larger theta is not known
    // here.
    (rope.type === 'ntk' && trained.type === 'default');
  return says ? Math.round(stretchedWindow(rope, trained, reference.trainedWindow)) : undefined;
}

/** Notes that one table is used for every length, so that short requests pay for its stretch. */
export function staticNotes({ groups }: EmitInput): Note[] {
  const { type } = groups[0].rope;
  const stretches = type !== 'default' && type !== 'proportional' && type !== 'longrope';
  return stretches
    ? [{ kind: 'static', text: 'One table for every length: short requests pay for it.' }]
    : [];
}

/**
 * Models whose publisher counts a recipe from another window than `max_position_embeddings`. Qwen3
 * has 40,960: 32,768 for the context and 8,192 for the answer.
 */
const RECIPES = Object.freeze([
  {
    modelTypes: ['qwen3', 'qwen3_moe'],
    maxPositions: 40_960,
    window: 32_768,
    source: 'the Qwen3 model cards',
  },
]);

/** Says which window the length and the factor are relative to, if that is not clear. */
export function windowNotes(input: EmitInput): Note[] {
  const { geometry, reference, factor, groups, trained } = input;
  const { rope } = groups[0];
  if (factor === undefined) return [];
  const notes: Note[] = [];
  const window = reference.trainedWindow;
  const recipe = RECIPES.find(
    (row) => row.modelTypes.includes(geometry.modelType) && row.maxPositions === window,
  );
  if (recipe !== undefined) {
    notes.push({
      kind: 'derives',
      text:
        `Two windows are in use: the factor multiplies max_position_embeddings, ${tokens(window)}; ` +
        `${recipe.source} count from ${tokens(recipe.window)}. --trained-window ${recipe.window} takes theirs.`,
    });
  }
  const came = 'factor' in rope ? rope.factor : undefined;
  if (came !== undefined && came !== factor) {
    const { factor: known, originalMaxPositions } = extensionOf(trained);
    const over = originalMaxPositions === undefined ? '' : ` over ${tokens(originalMaxPositions)}`;
    notes.push({
      kind: 'derives',
      text:
        `The factor multiplies the trained window, ${tokens(window)}, which holds a trained-in ` +
        `extension of ${trim(known, 4)} already: ${trim(factor, 4)} x ${trim(known, 4)} comes to ` +
        `factor ${trim(came, 4)}${over}.`,
    });
  }
  return notes;
}
