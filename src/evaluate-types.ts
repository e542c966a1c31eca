import type { Engine, EngineRequest } from './engine/types.js';
import type { CandidateDefinition } from './candidates/index.js';
import type { Report } from './report/schema.js';

export type Preset = 'quick' | 'standard' | 'thorough';
export type Device = 'auto' | 'cpu' | 'cuda';

/** What `evaluate` tells while it works. */
export interface Progress {
  /** Finished and planned units of work (token-batches); the share is honest work, not steps. */
  readonly done: number;
  readonly total: number;
  /** What runs now, e.g. `yarn:4 to 131072 tokens`. */
  readonly label: string;
}

export interface EvaluateOptions {
  /** Path shown in the report; `-` for standard input. */
  readonly source?: string;
  /** Absolute target length in tokens; default 4 x the trained window. */
  readonly target?: number;
  /** Text of the config before a change: the reference is taken from it. */
  readonly base?: string;
  /** Further lengths in tokens at which the needle is to be measured (gate rules). */
  readonly lengths?: readonly number[];
  /** As `parseCandidates('yarn:4,ntk:4')` gives them; default: a set chosen for the target. */
  readonly candidates?: readonly CandidateDefinition[];
  readonly reference?: 'unscaled' | 'configured';
  readonly trainedWindow?: number;
  readonly preset?: Preset;
  readonly device?: Device;
  readonly seed?: number;
  /** Exactly so many long contexts, whatever the preset; other probes follow (`CONTEXTS_PER_SAMPLE`). */
  readonly samples?: number;
  readonly threads?: number;
  /** false: run the engine in this process (blocks the event loop). Default true. */
  readonly worker?: boolean;
  /** Opens the probe model; default: a process of its own. For tests and benchmarks. */
  readonly openEngine?: (request: EngineRequest) => Promise<Engine>;
  /** A report of an unfinished run: its finished work is not done again. */
  readonly resume?: Report | undefined;
  readonly onProgress?: (progress: Progress) => void;
  /** Aborting ends the run with status `interrupted` and the finished cells. */
  readonly signal?: AbortSignal;
}

/** `config` is the text of a config.json. */
export type Evaluate = (config: string, options?: EvaluateOptions) => Promise<Report>;
