import type { Finding } from '../findings/index.js';
import type { Context, TextSource } from '../probes/contexts.js';
import type { ContextScores } from '../probes/measure.js';
import type { PresetPlan, PRESETS, Provider } from '../probes/presets.js';
import type { RopeTable } from '../rope/kind.js';
import { computeRope, lengthDependent, type RopeSpec } from '../rope/registry.js';
import type { SubjectReport } from './schema.js';

/** Layers of the user's model that share a table, with what their weights were trained with. */
export interface TrainedGroup {
  readonly layerType: string;
  /** Whether these layers look back over a window only, while others see everything. */
  readonly local: boolean;
  /** Tokens that these layers saw in training. This is their 1x. */
  readonly window: number;
  readonly reference: RopeSpec;
  /** The table of `reference` at `window` tokens. */
  readonly referenceTable: RopeTable;
}

/** What a subject needs to know about the user's model. */
export interface TrainedModel {
  readonly groups: readonly TrainedGroup[];
  /** Index of the group that decides about long contexts: the first that sees everything. */
  readonly decisive: number;
  /** Of the decisive group: the share of the log-frequency range below one rotation per window. */
  readonly criticalFraction: number;
  /** Of the decisive group: the share of each head that rotates. */
  readonly rotaryShare: number;
}

/** One scaling of one layer group. */
export interface GroupScaling {
  readonly trained: TrainedGroup;
  readonly spec: RopeSpec;
  /** Multiplier on q·k: with this scaling / as the weights were trained. */
  readonly softmaxScaleRatio: number;
  /** Returns the table for a context of this many of the user's tokens, computed once. */
  tableAt(tokens: number): RopeTable;
}

/** One scaling of a whole model. */
export interface Scaling {
  readonly label: string;
  /** One per group of the model. */
  readonly groups: readonly GroupScaling[];
}

/** The circumstances in which a scaling is used. */
export interface Situation {
  /** The index of the subject's group that is asked. */
  readonly group: number;
  /** The length of the context in the user's tokens, because a scaling may depend on it. */
  readonly tokens: number;
  /** The largest distance within the context, in trained windows; default: the whole context. */
  readonly windows?: number;
  /** How many of the user's tokens 1x stands for; default: the trained window of the group. */
  readonly window?: number;
  /**
   * Set for decoding with a KV cache. `tokens` gives the length of the context, in the user's
   * tokens, when the key at one of the subject's indices was written. Every key keeps the table of
   * that length, and so does its query.
   */
  readonly writtenAt?: { readonly indices: number; readonly tokens: (index: number) => number };
}

/** What differs between two answers, such as rotary tables. Equal ones are one object. */
export interface Treatment {
  /** Identifies the treatment in saved work, so it must not change between runs. */
  readonly digest: string;
}

/** Contexts that are read in one request. */
export interface ScoreRequest<T extends Treatment = Treatment> {
  readonly contexts: readonly Context[];
  /** How many tokens of each context are read. Rows beyond them are not scored. */
  readonly length: number;
  readonly treatment: T;
}

/** A part of a model that can be asked about separately. */
export interface SubjectGroup {
  /** Index into the groups of the user's model. */
  readonly group: number;
}

/**
 * A model that answers, such as the bundled probe model or a user's own decoder.
 *
 * Constructing a subject costs nothing; `open` loads the weights. Lengths are in the subject's
 * tokens unless they are called the user's.
 */
export interface Subject<T extends Treatment = Treatment> {
  /** The trained window in tokens, which is 1x. */
  readonly window: number;
  /** Groups of the user's model that it is asked about, including the decisive one. */
  readonly groups: readonly SubjectGroup[];
  readonly texts: TextSource;
  /** How many tokens before a rung count as text at that length, at most. */
  readonly textSpan: number;
  /**
   * The contexts of a preset, for a subject whose answers cost too much for the usual numbers.
   *
   * @param exactly number of long contexts, whatever the preset
   */
  samples?(preset: keyof typeof PRESETS, exactly: number | undefined): PresetPlan;
  /** The relative time that a context takes, by its length; default: the length. */
  workOf?(length: number): number;
  /** Nats of LLaMA 7B for one nat of its language's loss; 1 if the loss is the user's own. */
  readonly lossScale: number;
  /** What it accepts besides tokens and tables. */
  readonly takes: {
    /** Positions of the tokens, including fractional ones. */
    readonly positions: boolean;
    /**
     * Whether a key can keep the table of the length at which it was written
     * (`Situation.writtenAt`), and if so, whether one pass over the longest context also serves
     * every shorter one.
     */
    readonly cachedKeys: 'no' | 'one-pass' | 'pass-per-length';
  };
  /** Returns the treatment under which it answers as the user's model would with a scaling. */
  treat(scaling: Scaling, at: Situation): T;
  /**
   * Loads what the answers need.
   *
   * @param longest length of the longest context that it will be given, tokens
   * @throws RopeEvalError exit 3 if it cannot be opened
   */
  open(longest: number): Promise<Opened>;
  /** Returns one entry per context, in their order. */
  score(request: ScoreRequest<T>, signal?: AbortSignal): Promise<readonly ContextScores[]>;
  close(): Promise<void>;
}

/** What is known about a subject once it is open. */
export interface Opened {
  /** Its entry in the report. */
  readonly entry: SubjectReport;
  /** The device on which every node of its graph runs; null: it runs on another machine. */
  readonly device: Provider | null;
  /** The version of the runtime; null: nothing runs in this process. */
  readonly onnxruntime: string | null;
  /** Findings about how well it represents the user's model. */
  readonly findings: readonly Finding[];
  /** How many requests may be in progress at once. */
  readonly lanes: number;
  /** What a run will take, if that has been measured. */
  readonly expected?: {
    /** Per unit of `workOf`. */
    readonly millisecondsPerWork: number;
    /** An upper bound, in MiB. */
    readonly memory: number;
  };
  /** About how many tokens one request should have, to be fast and yet soon stopped. */
  readonly tokensPerRequest: number;
}

/** Applies a scaling to one layer group. Each of its tables is computed once. */
export function scaleGroup(
  trained: TrainedGroup,
  spec: RopeSpec,
  softmaxScaleRatio = 1,
): GroupScaling {
  const tables = new Map<number, RopeTable>();
  const follows = lengthDependent(spec);
  return {
    trained,
    spec,
    softmaxScaleRatio,
    tableAt(tokens) {
      const length = follows ? tokens : trained.window;
      let table = tables.get(length);
      if (!table) tables.set(length, (table = computeRope(spec, length)));
      return table;
    },
  };
}

/** Adds the trained table to a group. */
export function trainedGroup(group: Omit<TrainedGroup, 'referenceTable'>): TrainedGroup {
  return { ...group, referenceTable: computeRope(group.reference, group.window) };
}
