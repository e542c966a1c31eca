import { readFileSync } from 'node:fs';
import { RopeEvalError } from '../errors.js';
import type { Finding } from '../findings/index.js';
import type { UnknownRecord } from '../json/parse.js';
import { referenceSpecs } from '../model/evidence.js';
import { dialectOf } from '../model/registry.js';
import type { ModelGeometry, Reference, Span } from '../model/types.js';
import { effectiveTheta, type RopeSpec, type RopeType, scalingBlock } from '../rope/registry.js';

/** `0.30.1` is [0, 30, 1]. Missing parts are 0. */
export type Version = readonly [major: number, minor: number, patch: number];

/**
 * Parses a version such as `0.30`, `v0.30.1` or `5`.
 *
 * @throws RopeEvalError `invalid_value`
 */
export function parseVersion(text: string): Version {
  const match = /^v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:[.+-].{0,60}|(?:a|b|rc)\d+)?$/.exec(
    text.trim(),
  );
  if (match === null) {
    throw new RopeEvalError('invalid_value', {
      option: 'engineVersion',
      problem: `a version such as 0.30 is needed, found ${JSON.stringify(text)}`,
    });
  }
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
}

/** Compares two versions: the result is below 0 if `a` is earlier, and above 0 if it is later. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function atLeast(version: Version, from: string): boolean {
  return compareVersions(version, parseVersion(from)) >= 0;
}

/** Versions of an engine whose own code has read what emit writes for a rope type as intended. */
export interface Checked {
  /** On this model type, oldest first. */
  readonly versions: readonly string[];
  /** On other model types only, oldest first. */
  readonly elsewhere: readonly string[];
}

/** Finds what was run of a rope type. tools/conformance writes the data. */
export function checkedVersions(engine: string, ropeType: RopeType, modelType: string): Checked {
  const ran = new Map(Object.entries(CHECKED[engine]?.[ropeType] ?? {}));
  const versions = ran.get(modelType) ?? [];
  const elsewhere = new Set([...ran.values()].flat().filter((each) => !versions.includes(each)));
  const inOrder = [...elsewhere].sort((a, b) => compareVersions(parseVersion(a), parseVersion(b)));
  return { versions, elsewhere: inOrder };
}

/** Whether a version is of the release that was asked for: 0.29.1 is of 0.29, and 5.0.1 of 5. */
export function isRelease(version: string, asked: string): boolean {
  const release = asked.trim().replace(/^v/, '');
  return `${version}.`.startsWith(`${release.includes('.') ? release : `${release}.0`}.`);
}

export function nearestVersion(versions: readonly string[], to: Version): string | undefined {
  const distance = (version: string): number =>
    parseVersion(version).reduce((sum, part, i) => 1000 * sum + part - to[i]!, 0);
  const [nearest] = versions.toSorted((a, b) => Math.abs(distance(a)) - Math.abs(distance(b)));
  return nearest;
}

/** Versions by engine, rope type and model type. */
type CheckedData = Readonly<
  Partial<Record<string, Partial<Record<RopeType, Readonly<Record<string, readonly string[]>>>>>>
>;

const CHECKED = JSON.parse(
  readFileSync(new URL('./data/checked.json', import.meta.url), 'utf8'),
) as CheckedData;

/** Layers that share a table, with the candidate's scaling applied. */
export interface EmitGroup {
  readonly layerType: string;
  readonly span: Span;
  readonly rope: RopeSpec;
  /** The `partial_rotary_factor` in force, from the block, the top level or the class. */
  readonly partial?: number;
}

/** The inputs that an engine's settings are made from. */
export interface EmitInput {
  /** The candidate as the user wrote it. */
  readonly label: string;
  /** The factor in the shorthand as the user gave it; undefined if there was none. */
  readonly factor?: number;
  readonly geometry: ModelGeometry;
  /** What the weights were trained with. */
  readonly reference: Pick<Reference, 'kind' | 'trainedWindow'>;
  /** The table that the weights of the first group were trained with. */
  readonly trained: RopeSpec;
  /** Global layers first, as in the geometry. */
  readonly groups: readonly [EmitGroup, ...EmitGroup[]];
  /** The config before any change. */
  readonly raw: UnknownRecord;
  /** Tokens to serve. */
  readonly length: number;
  /** The default command's findings on the config and the candidate. */
  readonly findings?: readonly Finding[];
}

/** Something that users would otherwise discover in production. */
export interface Note {
  readonly kind:
    /** A key that the engine does not read. */
    | 'ignores'
    /** A value, usually the maximum length, that the engine derives in its own way. */
    | 'derives'
    /** One table, computed at start, serves every length. */
    | 'static'
    | 'needs';
  readonly text: string;
}

/** One way to write the settings: a command line, JSON for a file, or a whole file. */
export interface Setting {
  readonly title: string;
  /** Versions that the setting is valid for. */
  readonly versions: string;
  readonly kind: 'command' | 'json' | 'file';
  readonly text: string;
}

/** An engine's settings for a scaling, or why it cannot express the scaling. */
export type Answer =
  | {
      readonly ok: true;
      readonly settings: readonly Setting[];
      readonly notes: readonly Note[];
    }
  | {
      readonly ok: false;
      readonly reason: string;
      readonly instead: string;
    };

/** One engine, or a way to load a model. */
export interface Emitter {
  /** Other names for it that users know, in lower case. */
  readonly aliases: readonly string[];
  /** The range of versions to choose from; absent if all versions have the same settings. */
  readonly versions?: { readonly oldest: string; readonly newest: string };
  /** @param version the one asked for, or else the newest known one */
  readonly emit: (input: EmitInput, version: Version) => Answer;
}

/**
 * Makes the inputs of the emitters for a candidate on a model.
 *
 * @param specs (groups) its rotary tables
 * @param more `before`: the config before a change, which the reference was taken from; default:
 *   the model itself
 * @returns undefined if no layer of the model rotates
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

/** Where a class reads a scaling, which decides what is written. */
export type EmitPlan =
  /** One block for all layers: the first group's block applies to the others too. */
  | { readonly kind: 'one'; readonly group: EmitGroup }
  /** A block for each layer type, even if all layers of the config have one type. */
  | { readonly kind: 'per-layer' }
  | { readonly kind: 'none'; readonly reason: string; readonly instead: string };

/** Decides how the model's class accepts a scaling, by the dialects of the config reader. */
export function planOf({ geometry, groups }: EmitInput): EmitPlan {
  const { modelType } = geometry;
  const { writes } = dialectOf(modelType);
  if (writes === 'fixed') {
    return {
      kind: 'none',
      reason: `${modelType} reads neither a scaling nor a theta: its class has one fixed table`,
      instead: 'Another model, or an engine with options of its own for RoPE.',
    };
  }
  if (writes !== undefined) return { kind: 'per-layer' };
  const [group] = groups;
  if (new Set(groups.map(({ rope }) => settingOf(rope))).size === 1) return { kind: 'one', group };
  const types = groups.map(({ layerType }) => layerType).join(', ');
  return {
    kind: 'none',
    reason: `${modelType} reads one block for all layers, and here its kinds of layers (${types}) need different ones`,
    instead: 'Choose a scaling that treats all layers alike.',
  };
}

/** The part of a spec that a block expresses. The rest follows from the shape of the model. */
function settingOf(rope: EmitGroup['rope']): string {
  return JSON.stringify([scalingBlock(rope) ?? null, effectiveTheta(rope)]);
}
