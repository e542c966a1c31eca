import type { Finding } from '../findings/index.js';
import type { UnknownRecord } from '../json/parse.js';
import { referenceSpecs } from '../model/reference.js';
import { dialectOf } from '../model/registry.js';
import type { ModelGeometry, Reference, Span } from '../model/types.js';
import { effectiveTheta, type RopeSpec, scalingBlock } from '../rope/registry.js';
import type { Version } from './version.js';

/** The layers that share a table, with the scaling under question applied. */
export interface EmitGroup {
  readonly layerType: string;
  readonly span: Span;
  readonly rope: RopeSpec;
  /** `partial_rotary_factor` in force, whether from the block, the top level or the class. */
  readonly partial?: number;
}

/** What an engine's settings are made from. */
export interface EmitInput {
  /** The candidate as the user wrote it. */
  readonly label: string;
  /** What a shorthand's factor was given as; undefined where none was. */
  readonly factor?: number;
  readonly geometry: ModelGeometry;
  /** What the weights were trained with. */
  readonly reference: Pick<Reference, 'kind' | 'trainedWindow'>;
  /** The table that the weights of the first group were trained with. */
  readonly trained: RopeSpec;
  /** Global layers first, as in the geometry. */
  readonly groups: readonly [EmitGroup, ...EmitGroup[]];
  /** The config as it stands. */
  readonly raw: UnknownRecord;
  /** Tokens to serve. */
  readonly length: number;
  /** What the default command would say of the config and the candidate. */
  readonly findings?: readonly Finding[];
}

/** Something a user would otherwise find out in production. */
export interface Note {
  readonly kind:
    /** A key that the engine does not read. */
    | 'ignores'
    /** A value, usually the maximum length, that the engine works out in its own way. */
    | 'derives'
    /** Computed once at start, for every length. */
    | 'static'
    | 'needs';
  readonly text: string;
}

/** One way to write the settings: a command line, JSON to put into a file, or a file. */
export interface Setting {
  readonly title: string;
  /** Versions it holds for. */
  readonly versions: string;
  readonly kind: 'command' | 'json' | 'file';
  readonly text: string;
}

/** What an engine makes of a scaling: settings, or why it has no words for it. */
export type Answer =
  | {
      readonly ok: true;
      readonly settings: readonly Setting[];
      readonly notes: readonly Note[];
    }
  | {
      readonly ok: false;
      readonly reason: string;
      /** What to do instead. */
      readonly instead: string;
    };

/** One engine, or a way to load a model. */
export interface Emitter {
  /** Other names that people have for it, in lower case. */
  readonly aliases: readonly string[];
  /** Versions that are told apart; absent: none are, and none can be asked for. */
  readonly versions?: { readonly oldest: string; readonly newest: string };
  /** @param version the one asked for; the newest where none was */
  readonly emit: (input: EmitInput, version: Version) => Answer;
}

/**
 * What the emitters need of a candidate on a model.
 *
 * @param specs (groups) its rotary tables
 * @param more `before`: the config from before a change, which the reference was taken from;
 *   default: the model itself
 * @returns undefined where no layer of the model rotates
 */
export function emitInputOf(
  label: string,
  model: ModelGeometry,
  reference: Pick<Reference, 'kind' | 'trainedWindow'>,
  specs: readonly RopeSpec[],
  raw: UnknownRecord,
  length: number,
  {
    before = model,
    ...more
  }: Pick<EmitInput, 'factor' | 'findings'> & { readonly before?: ModelGeometry } = {},
): EmitInput | undefined {
  const [first, ...rest] = model.groups.flatMap((group, index): EmitGroup[] => {
    const rope = specs[index];
    const { layerType, span, partialRotaryFactor: partial } = group;
    return rope ? [{ layerType, span, rope, ...(partial !== undefined && { partial }) }] : [];
  });
  const [trained] = referenceSpecs(model, before, reference);
  if (first === undefined || trained === undefined) return undefined;
  const groups = [first, ...rest] as const;
  return { label, geometry: model, reference, trained, groups, raw, length, ...more };
}

/** Where a class reads a scaling, as far as that decides what is written. */
export type Plan =
  /** One block for all layers: what the first group says holds for the others too. */
  | { readonly kind: 'one'; readonly group: EmitGroup }
  /** A block for each layer type, even where the config has layers of one type only. */
  | { readonly kind: 'per-layer' }
  | { readonly kind: 'none'; readonly reason: string; readonly instead: string };

/** How the model's class takes a scaling; the config reader's dialects know. */
export function planOf({ geometry, groups }: EmitInput): Plan {
  const { modelType } = geometry;
  const { writes } = dialectOf(modelType);
  if (writes === 'fixed') {
    return {
      kind: 'none',
      reason: `${modelType} reads neither a scaling nor a theta: its class has one fixed table`,
      instead: 'Another model, or an engine with options of its own for RoPE.',
    };
  }
  if (writes === 'per-layer') return { kind: 'per-layer' };
  const [group] = groups;
  if (new Set(groups.map(({ rope }) => settingOf(rope))).size === 1) return { kind: 'one', group };
  const types = groups.map(({ layerType }) => layerType).join(', ');
  return {
    kind: 'none',
    reason: `${modelType} reads one block for all layers, and here its kinds of layers (${types}) need different ones`,
    instead: 'Choose a scaling that treats all layers alike.',
  };
}

/** What a block says; the rest of a spec follows from the shape of the model. */
function settingOf(rope: EmitGroup['rope']): string {
  return JSON.stringify([scalingBlock(rope) ?? null, effectiveTheta(rope)]);
}
