import { z } from 'zod';
import type { CandidateDefinition } from './candidates/definition.js';
import { ENCODING_NAMES } from './encodings/registry.js';
import { RopeEvalError } from './errors.js';
import { CACHE_DTYPES, type CacheDtype } from './geometry/drift.js';
import { BOUNDS, show } from './json/parse.js';
import type { ReadConfig } from './model/read-model.js';
import { REFERENCE_KINDS } from './model/types.js';
import { DEVICES, LIMITS, PRESET_NAMES } from './probes/presets.js';
import type { Report } from './report/schema/report.js';
import { FACTOR_METHODS } from './rope/registry.js';
import type { EngineRequest, ProbeEngine } from './subjects/bundled/engine.js';
import type { Subject, TrainedModel } from './subjects/subject.js';
import { didYouMean } from './text.js';

/** What `evaluate` reports while it works. */
export interface Progress {
  /** Finished and planned token-batches: done / total is a share of the work itself. */
  readonly done: number;
  readonly total: number;
  /** What is running now, e.g. `yarn:4 to 131072 tokens`. */
  readonly label: string;
}

/** What a run will take. Slow subjects report it before the run starts. */
export interface RunEstimate {
  readonly milliseconds: number;
  /** Upper bound, in MiB. */
  readonly memory: number;
}

/** Rows from the contexts answered so far, and the recommendation that follows from them. */
export type Provisional = Pick<Report, 'candidates' | 'recommendation'>;

const whole = (low: number, high: number, unit = '') => {
  const error = `must be a whole number${unit} from ${low} to ${high}`;
  return z.int({ error }).min(low, { error }).max(high, { error }).optional();
};

const choice = <const N extends readonly string[]>(names: N) =>
  z.enum(names, { error: `must be one of ${names.join(', ')}` }).optional();

const CANDIDATE = 'must be a candidate as parseCandidates gives it';
const label = z.string().min(1);

const Candidate: z.ZodType<CandidateDefinition> = z.discriminatedUnion(
  'method',
  [
    z.object({
      label,
      method: z.enum(FACTOR_METHODS),
      factor: z.number(),
      params: z.record(z.string(), z.union([z.number(), z.boolean()])),
    }),
    z.object({ label, method: z.literal('theta'), theta: z.number() }),
    z.object({ label, method: z.literal('none') }),
    z.object({ label, method: z.literal('as-configured') }),
    z.object({ label, method: z.literal('reference') }),
    z.object({ label, method: z.literal('longrope'), file: z.string() }),
    z.object({ label, method: z.literal('block'), block: z.record(z.string(), z.unknown()) }),
  ],
  { error: CANDIDATE },
);

const MORE_THAN_0 = 'must be a number above 0';

const action = <F extends (...args: never[]) => unknown>() =>
  z.custom<F>((value) => typeof value === 'function', { error: 'must be a function' }).optional();

const ReadConfigShape = z.looseObject({ raw: z.looseObject({}), model: z.looseObject({}) });

const RUN = {
  preset: choice(PRESET_NAMES),
  device: choice(DEVICES),
  seed: whole(0, LIMITS.seed),
  /** The exact number of long contexts; the other probes scale with it (`CONTEXTS_PER_SAMPLE`). */
  samples: whole(1, LIMITS.samples),
  threads: whole(1, LIMITS.threads),
  /** false: run the engine in this process, which blocks the event loop. Default true. */
  worker: z.boolean({ error: 'must be true or false' }).optional(),
  onProgress: action<(progress: Progress) => void>(),
  /** Aborting it ends the run with status `interrupted` and keeps the finished cells. */
  signal: z
    // The class is not checked, since signals of other realms work too.
    .custom<AbortSignal>((value) => Reflect.has(Object(value), 'aborted'), {
      error: 'must be an AbortSignal',
    })
    .optional(),
};

const WEIGHTS = {
  /** The path shown in the report; `-` for standard input. */
  source: z.string({ error: 'must be a path, as text' }).optional(),
  /** Absolute target length in tokens; default 4 x the trained window. */
  target: whole(1, BOUNDS.positions, ' of tokens'),
  /** In tokens. */
  trainedWindow: whole(1, BOUNDS.positions, ' of tokens'),
  reference: choice(REFERENCE_KINDS),
};

/**
 * Options of `evaluate`. The schema catches what a program without types would find out late or
 * never. It is strict because a misspelt key would silently leave its option at the default.
 */
export const EVALUATE_OPTIONS = z.strictObject({
  ...RUN,
  ...WEIGHTS,
  /** Further lengths in tokens at which the needle is measured; gate rules need them. */
  lengths: z
    .array(z.number().positive(), { error: 'must be a list of tokens' })
    .readonly()
    .optional(),
  /** The config before a change, as text or as read. The reference is taken from it. */
  base: z
    .custom<string | ReadConfig>(
      (value) => typeof value === 'string' || ReadConfigShape.safeParse(value).success,
      { error: 'must be the text of a config.json' },
    )
    .optional(),
  /** The result of `parseCandidates('yarn:4,ntk:4')`; default: a set chosen for the target. */
  candidates: z
    .array(Candidate, { error: 'must be a list, as parseCandidates gives it' })
    .min(1, { error: 'must not be empty; leave it out for a set chosen for the target' })
    .readonly()
    .optional(),
  /** The report of an unfinished run, whose finished work is not repeated. */
  resume: z
    .custom<Report>((value) => typeof value === 'object' && value !== null, {
      error: 'must be a report',
    })
    .optional(),
  /** The user's own weights as an ONNX decoder, measured beside the probe. */
  model: z
    .strictObject(
      {
        /** An .onnx file, or a folder with its tokenizer.json. */
        path: z.string().min(1),
        /** Which .onnx file to use, if a folder has several. */
        file: z.string().optional(),
        /** The texts to ask it on; default: those of the package. */
        texts: z.array(z.string()).min(1).readonly().optional(),
        /** The MiB that it may take; default: what the machine has left. */
        memory: z.number().positive().optional(),
        /** The equivalent shell options, for commands that the report prints. */
        argument: z.string().optional(),
      },
      { error: 'must be an object with the path of an ONNX decoder' },
    )
    .readonly()
    .optional(),
  /** Opens the model that answers; default: the bundled probe model nearest to the config's. */
  subject: action<(model: TrainedModel) => Promise<Subject>>(),
  /** Opens the engine of the probe model; default: in its own process. For tests and benchmarks. */
  openEngine: action<(request: EngineRequest) => Promise<ProbeEngine>>(),
  /** Called before the first question, if the subject can estimate what the run will take. */
  onEstimate: action<(estimate: RunEstimate) => void>(),
  /** Called during the run with preliminary results, whenever a row has more contexts. */
  onProvisional: action<(found: Provisional) => void>(),
  /**
   * Drop candidates that are clearly out after half of the contexts. Default true; has no effect
   * together with `samples`, which sets the number of contexts.
   */
  stopEarly: z.boolean({ error: 'must be true or false' }).optional(),
});

/** Options of `compareEncodings`. Strict for the same reason as those of `evaluate`. */
export const ENCODINGS_OPTIONS = z.strictObject({
  ...RUN,
  /** Encodings to run beside unscaled RoPE. Default: all, and scaled RoPE too. */
  encodings: z
    .array(z.enum(ENCODING_NAMES, { error: `must be one of ${ENCODING_NAMES.join(', ')}` }))
    .readonly()
    .optional(),
});

/** Options of `inspect`. Strict for the same reason as those of `evaluate`. */
export const INSPECT_OPTIONS = z.strictObject({
  ...WEIGHTS,
  /** Tokens, for tables that depend on the length; default: as transformers builds them. */
  sequenceLength: whole(1, BOUNDS.positions, ' of tokens'),
  /** Another scaling to show in place of the config's, e.g. `yarn:4`, or a JSON object as text. */
  candidate: z.string({ error: 'must be a scaling as text, such as yarn:4' }).optional(),
  /** Format of the KV cache; default bfloat16. */
  dtype: choice(Object.keys(CACHE_DTYPES) as [CacheDtype, ...CacheDtype[]]),
  /** Memory bandwidth in 1e9 bytes a second; without it, no decode time is given. */
  bandwidthGBps: z.number({ error: MORE_THAN_0 }).positive({ error: MORE_THAN_0 }).optional(),
});

/** The type of a program's options: a key is absent or has a value, but is never undefined. */
type OptionsOf<S extends z.ZodObject> = {
  readonly [K in keyof z.output<S>]?: Exclude<z.output<S>[K], undefined>;
};

/** Options of `evaluate`. All are optional; `EVALUATE_OPTIONS` describes each. */
export type EvaluateOptions = OptionsOf<typeof EVALUATE_OPTIONS>;
/** Options of `compareEncodings`. All are optional; `ENCODINGS_OPTIONS` describes each. */
export type CompareEncodingsOptions = OptionsOf<typeof ENCODINGS_OPTIONS>;
/** Options of `inspect`. All are optional; `INSPECT_OPTIONS` describes each. */
export type InspectOptions = OptionsOf<typeof INSPECT_OPTIONS>;

/** @param config text of a config.json, or the result of `readConfig` */
export type Evaluate = (config: string | ReadConfig, options?: EvaluateOptions) => Promise<Report>;

/**
 * Refuses options that have no meaning, before anything is opened.
 *
 * @throws RopeEvalError `bad_option`, exit 2, with the option, what was found and what would be
 *   right
 */
export function checkOptions(options: object, known: z.ZodObject): void {
  const parsed = known.safeParse(options);
  if (parsed.success) return;
  const issue = parsed.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') refuseUnknown(issue.keys[0]!, Object.keys(known.shape));
  const { path, message } = issue;
  const [name, index] = path;
  // For a candidate, the message shows all of it, since one part means nothing to the reader.
  const where = name === 'candidates' && index !== undefined ? path.slice(0, 2) : path;
  const said = name === 'candidates' && path.length > 2 ? CANDIDATE : message;
  const found = where.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown>)[key],
    options,
  );
  if (name === undefined) {
    const problem = `the options must be an object, found ${show(found)}`;
    throw new RopeEvalError('bad_option', { problem });
  }
  throw new RopeEvalError('bad_option', {
    option: where.map((key) => (typeof key === 'number' ? `[${key}]` : String(key))).join(''),
    problem: `${said}, found ${show(found)}`,
    ...(name === 'candidates' && {
      hint: "For example: candidates: parseCandidates('yarn:2,linear:2').",
    }),
  });
}

function refuseUnknown(name: string, known: readonly string[]): never {
  throw new RopeEvalError('bad_option', {
    option: name,
    predicate: `is not known${didYouMean(name, known)}`,
    hint: `Known: ${known.join(', ')}.`,
  });
}
