import { z } from 'zod';
import type { CandidateDefinition } from './candidates/definition.js';
import { FACTOR_METHODS } from './rope/registry.js';
import { ENCODING_NAMES } from './encodings/registry.js';
import { RopeEvalError } from './errors.js';
import { CACHE_DTYPES } from './geometry/dtypes.js';
import { BOUNDS } from './json/bounds.js';
import { show } from './json/fail.js';
import { LIMITS } from './probes/presets.js';
import type { ReadConfig } from './model/read-config.js';
import type { Report } from './report/schema/report.js';
import type { Engine, EngineRequest } from './subjects/bundled/engine.js';
import type { Subject, TrainedModel } from './subjects/subject.js';
import { didYouMean } from './suggest.js';

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
  /** The config before a change, as text or read: the reference is taken from it. */
  readonly base?: string | ReadConfig;
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
  /** Who answers; default: the bundled probe model that is nearest to the model. */
  readonly subject?: (model: TrainedModel) => Promise<Subject>;
  /** Opens the probe model; default: a process of its own. For tests and benchmarks. */
  readonly openEngine?: (request: EngineRequest) => Promise<Engine>;
  /** A report of an unfinished run: its finished work is not done again. */
  readonly resume?: Report | undefined;
  readonly onProgress?: (progress: Progress) => void;
  /** Aborting ends the run with status `interrupted` and the finished cells. */
  readonly signal?: AbortSignal;
}

/** @param config text of a config.json, or what `readConfig` made of it */
export type Evaluate = (config: string | ReadConfig, options?: EvaluateOptions) => Promise<Report>;

const whole = (low: number, high: number, unit = '') =>
  z
    .int({ error: `must be a whole number${unit} from ${low} to ${high}` })
    .min(low, { error: `must be a whole number${unit} from ${low} to ${high}` })
    .max(high, { error: `must be a whole number${unit} from ${low} to ${high}` })
    .optional();

const choice = (names: readonly string[]) =>
  z.enum(names, { error: `must be one of ${names.join(', ')}` }).optional();

const CANDIDATE = 'must be a candidate as parseCandidates gives it';
const label = z.string().min(1);

const Candidate = z.discriminatedUnion(
  'method',
  [
    z.object({
      label,
      method: z.enum(FACTOR_METHODS),
      factor: z.number(),
      params: z.record(z.string(), z.union([z.number(), z.boolean()])),
    }),
    z.object({ label, method: z.literal('theta'), theta: z.number() }),
    z.object({ label, method: z.enum(['none', 'as-configured']) }),
    z.object({ label, method: z.literal('longrope'), file: z.string() }),
    z.object({ label, method: z.literal('block'), block: z.record(z.string(), z.unknown()) }),
  ],
  { error: CANDIDATE },
);

const MORE_THAN_0 = 'must be a number above 0';

const action = z
  .custom((value) => typeof value === 'function', { error: 'must be a function' })
  .optional();

const RUN = {
  preset: choice(['quick', 'standard', 'thorough']),
  device: choice(['auto', 'cpu', 'cuda']),
  seed: whole(0, LIMITS.seed),
  samples: whole(1, LIMITS.samples),
  threads: whole(1, LIMITS.threads),
  worker: z.boolean({ error: 'must be true or false' }).optional(),
  onProgress: action,
  signal: z
    // Not by its class: signals of other realms are as good.
    .custom((value) => Reflect.has(Object(value), 'aborted'), { error: 'must be an AbortSignal' })
    .optional(),
};

const WEIGHTS = {
  source: z.string({ error: 'must be a path, as text' }).optional(),
  target: whole(1, BOUNDS.positions, ' of tokens'),
  trainedWindow: whole(1, BOUNDS.positions, ' of tokens'),
  reference: choice(['unscaled', 'configured']),
};

/**
 * What a program without types can get wrong and would find out late, or never. Strict: a key with
 * a wrong letter would leave its option at the default in silence.
 */
export const EVALUATE_OPTIONS = z.strictObject({
  ...RUN,
  ...WEIGHTS,
  lengths: z.array(z.number().positive(), { error: 'must be a list of tokens' }).optional(),
  base: z
    .union([z.string(), z.looseObject({ raw: z.looseObject({}), model: z.looseObject({}) })], {
      error: 'must be the text of a config.json',
    })
    .optional(),
  candidates: z
    .array(Candidate, { error: 'must be a list, as parseCandidates gives it' })
    .min(1, { error: 'must not be empty; leave it out for a set chosen for the target' })
    .optional(),
  resume: z.looseObject({}, { error: 'must be a report' }).optional(),
  subject: action,
  openEngine: action,
});

export const ENCODINGS_OPTIONS = z.strictObject({
  ...RUN,
  encodings: z
    .array(z.enum(ENCODING_NAMES, { error: `must be one of ${ENCODING_NAMES.join(', ')}` }))
    .optional(),
});

export const INSPECT_OPTIONS = z.strictObject({
  ...WEIGHTS,
  sequenceLength: whole(1, BOUNDS.positions, ' of tokens'),
  candidate: z.string({ error: 'must be a scaling as text, such as yarn:4' }).optional(),
  dtype: choice(Object.keys(CACHE_DTYPES)),
  bandwidthGBps: z.number({ error: MORE_THAN_0 }).positive({ error: MORE_THAN_0 }).optional(),
});

/**
 * Refuses options of the library that have no meaning, before anything is opened.
 *
 * @throws RopeEvalError `bad_option`, exit 2, with the option, what was found and what would be right
 */
export function checkOptions(options: object, known: z.ZodObject): void {
  const parsed = known.safeParse(options);
  if (parsed.success) return;
  const issue = parsed.error.issues[0]!;
  if (issue.code === 'unrecognized_keys') refuseUnknown(issue.keys[0]!, Object.keys(known.shape));
  const { path, message } = issue;
  const [name, index] = path;
  // Of a candidate only the whole tells the reader what it is.
  const where = name === 'candidates' && index !== undefined ? path.slice(0, 2) : path;
  const said = name === 'candidates' && path.length > 2 ? CANDIDATE : message;
  const found = where.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown>)[key],
    options,
  );
  const shown = where.map((key) => (typeof key === 'number' ? `[${key}]` : String(key))).join('');
  throw new RopeEvalError('bad_option', {
    ...(where.length > 0 && { option: shown }),
    problem:
      where.length === 0
        ? `the options must be an object, found ${show(found)}`
        : `${said}, found ${show(found)}`,
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
