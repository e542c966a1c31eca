import type { UnknownRecord } from '../json/parse.js';
import type { ModelGeometry, Reference, Span } from '../model/types.js';
import type { RopeSpec } from '../rope/registry.js';

/** The layers that share a table, with the scaling under question applied. */
export interface EmitGroup {
  readonly layerType: string;
  readonly span: Span;
  readonly rope: RopeSpec;
}

/** What an engine's settings are made from. */
export interface EmitInput {
  /** The candidate as the user wrote it. */
  readonly label: string;
  readonly geometry: ModelGeometry;
  /** What the weights were trained with. */
  readonly reference: Pick<Reference, 'kind' | 'trainedWindow'>;
  /** Global layers first, as in the geometry. */
  readonly groups: readonly [EmitGroup, ...EmitGroup[]];
  /** The config as it stands. */
  readonly raw: UnknownRecord;
  /** Tokens to serve. */
  readonly length: number;
}

export const ENGINES = Object.freeze(['hf', 'vllm', 'sglang', 'llama.cpp', 'tgi'] as const);
export type Engine = (typeof ENGINES)[number];

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

/** One way to write the settings: a command line, or JSON to put into a file. */
export interface Setting {
  readonly title: string;
  /** Versions it holds for. */
  readonly versions: string;
  readonly kind: 'command' | 'json';
  readonly text: string;
}

export interface EngineSettings {
  readonly engine: Engine;
  readonly settings: readonly Setting[];
  readonly notes: readonly Note[];
}

/** An engine that has no words for this scaling. */
export interface Refusal {
  readonly engine: Engine;
  readonly reason: string;
  /** What to do instead. */
  readonly instead: string;
}

export type Emission =
  ({ readonly ok: true } & EngineSettings) | ({ readonly ok: false } & Refusal);

export type Emitter = (input: EmitInput) => Emission;

/**
 * What the emitters need of a candidate on a model.
 *
 * @param specs (groups) its rotary tables
 * @returns undefined where no layer of the model rotates
 */
export function emitInputOf(
  label: string,
  model: ModelGeometry,
  reference: Pick<Reference, 'kind' | 'trainedWindow'>,
  specs: readonly RopeSpec[],
  raw: UnknownRecord,
  length: number,
): EmitInput | undefined {
  const [first, ...rest] = model.groups.flatMap((group, index) => {
    const rope = specs[index];
    return rope ? [{ layerType: group.layerType, span: group.span, rope }] : [];
  });
  return first && { label, geometry: model, reference, groups: [first, ...rest], raw, length };
}
