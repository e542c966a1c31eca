import type { Finding } from '../findings/index.js';
import type { Context, TextSource } from '../probes/contexts.js';
import type { ContextScores } from '../probes/measure.js';
import type { PresetPlan, PRESETS, Provider } from '../probes/presets.js';
import type { RopeTable } from '../rope/kind.js';
import { computeRope, lengthDependent, type RopeSpec } from '../rope/registry.js';
import type { SubjectReport } from './schema.js';

/** Layers of the user's model that share a table, as the weights know them. */
export interface TrainedGroup {
  readonly layerType: string;
  /** These layers look back over a window only, beside others that see everything. */
  readonly local: boolean;
  /** Tokens that these layers saw in training: their 1x. */
  readonly window: number;
  readonly reference: RopeSpec;
  /** `reference` at `window`. */
  readonly referenceTable: RopeTable;
}

/** What a subject has to know of the user's model. */
export interface TrainedModel {
  readonly groups: readonly TrainedGroup[];
  /** Index of the group that decides about long contexts: the first that sees everything. */
  readonly decisive: number;
  /** Of the decisive group: share of the log-frequency range below one rotation per window. */
  readonly criticalFraction: number;
  /** Of the decisive group: share of each head that rotates. */
  readonly rotaryShare: number;
}

/** One scaling of one layer group. */
export interface GroupScaling {
  readonly trained: TrainedGroup;
  readonly spec: RopeSpec;
  /** Multiplier on q·k: this scaling's / the one that the weights were trained with. */
  readonly softmaxScaleRatio: number;
  /** The table for a context of so many of the user's tokens; computed once. */
  tableAt(tokens: number): RopeTable;
}

/** One scaling of a whole model. */
export interface Scaling {
  readonly label: string;
  /** (groups of the model) */
  readonly groups: readonly GroupScaling[];
}

/** Where a scaling is used. */
export interface Situation {
  /** Index of the subject's group that is asked about. */
  readonly group: number;
  /** The user's tokens in the context: a scaling may depend on them. */
  readonly tokens: number;
  /** Largest distance within the context, in trained windows. Default: all of it. */
  readonly windows?: number;
  /** The user's tokens that 1x stands for. Default: the trained window of the group. */
  readonly window?: number;
  /**
   * Decoding with a KV cache: the user's tokens in the context when the key at an index of the
   * subject was written. Every key keeps the table of that length, and so does its query.
   */
  readonly writtenAt?: { readonly indices: number; readonly tokens: (index: number) => number };
}

/**
 * What is varied between two answers of a subject: rotary tables, or an endpoint. Equal treatments
 * are one object, so that they are answered once.
 */
export interface Treatment {
  /** Stable between runs, for work that is saved. */
  readonly digest: string;
}

/** Contexts that are read in one go. */
export interface ScoreRequest<T extends Treatment = Treatment> {
  readonly contexts: readonly Context[];
  /** Tokens of each context that are read; rows beyond them are not scored. */
  readonly length: number;
  readonly treatment: T;
}

/** Part of a model that can be asked about on its own. */
export interface SubjectGroup {
  /** Index into the groups of the user's model. */
  readonly group: number;
}

/**
 * Who answers: the bundled probe model, a user's own decoder, a served model.
 *
 * A subject is made without opening anything that costs; `open` loads the weights or connects.
 * Lengths are tokens of the subject, unless they are said to be the user's.
 */
export interface Subject<T extends Treatment = Treatment> {
  /** Trained window: 1x. */
  readonly window: number;
  /** Groups of the user's model that it is asked about one by one; the decisive one is among them. */
  readonly groups: readonly SubjectGroup[];
  readonly texts: TextSource;
  /** Tokens before a rung that count as text at that length, at most. */
  readonly textSpan: number;
  /**
   * Contexts of a preset, where its answers cost too much for the usual ones.
   *
   * @param exactly long contexts, whatever the preset
   */
  samples?(preset: keyof typeof PRESETS, exactly: number | undefined): PresetPlan;
  /** Relative time that a context takes, by its length; default: the length. */
  workOf?(length: number): number;
  /** Nats of LLaMA 7B that one nat of its language's loss stands for; 1 where the loss is the user's own. */
  readonly lossScale: number;
  /** What it can be told beside tokens and tables. */
  readonly takes: {
    /** Positions of the tokens, fractions included. */
    readonly positions: boolean;
    /**
     * Keys that keep the table of the length at which they were written (`Situation.writtenAt`), and
     * whether one pass over the longest context then serves every shorter one.
     */
    readonly cachedKeys: 'no' | 'one-pass' | 'pass-per-length';
  };
  /** @param scaling what the user's model is given */
  treat(scaling: Scaling, at: Situation): T;
  /**
   * @param longest context that it will be given, tokens
   * @throws RopeEvalError exit 3 where it cannot be opened
   */
  open(longest: number): Promise<Opened>;
  /** Scores in the order of the contexts, one row of a context each. */
  score(request: ScoreRequest<T>, signal?: AbortSignal): Promise<readonly ContextScores[]>;
  close(): Promise<void>;
}

/** What is known of a subject once it is open. */
export interface Opened {
  /** What the report says of it. */
  readonly entry: SubjectReport;
  /** Where every node of its graph runs; null: not on this machine. */
  readonly device: Provider | null;
  /** Version of the runtime; null: nothing runs in this process. */
  readonly onnxruntime: string | null;
  /** About how well it stands for the model. */
  readonly findings: readonly Finding[];
  /** Requests that may be under way at once. */
  readonly lanes: number;
  /** What a run will take, where that has been measured. */
  readonly expected?: {
    /** Of `workOf`. */
    readonly millisecondsPerWork: number;
    /** MiB at most. */
    readonly memory: number;
  };
  /** About this many tokens in one request are fast, and soon stopped. */
  readonly tokensPerRequest: number;
}

/** A scaling of one layer group, which computes each of its tables once. */
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

/** A group as its weights know it. */
export function trainedGroup(group: Omit<TrainedGroup, 'referenceTable'>): TrainedGroup {
  return { ...group, referenceTable: computeRope(group.reference, group.window) };
}
