import { z } from 'zod';
import { FACTOR_METHODS, type FactorMethod } from './candidates/index.js';
import { BOUNDS } from './config/bounds.js';
import { show } from './config/fail.js';
import { EXIT, RopeEvalError } from './errors.js';
import type { EvaluateOptions } from './evaluate-types.js';
import { LIMITS } from './limits.js';

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
      method: z.enum(Object.keys(FACTOR_METHODS) as FactorMethod[]),
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

/** What a program without types can get wrong and would find out late, or never. */
const OptionsSchema = z.object({
  target: whole(1, BOUNDS.positions, ' of tokens'),
  trainedWindow: whole(1, BOUNDS.positions, ' of tokens'),
  seed: whole(0, LIMITS.seed),
  samples: whole(1, LIMITS.samples),
  threads: whole(1, LIMITS.threads),
  preset: choice(['quick', 'standard', 'thorough']),
  device: choice(['auto', 'cpu', 'cuda']),
  reference: choice(['unscaled', 'configured']),
  lengths: z.array(z.number().positive(), { error: 'must be a list of tokens' }).optional(),
  base: z.string({ error: 'must be the text of a config.json' }).optional(),
  candidates: z
    .array(Candidate, { error: 'must be a list, as parseCandidates gives it' })
    .min(1, { error: 'must not be empty; leave it out for a set chosen for the target' })
    .optional(),
});

/**
 * Refuses options of the library that have no meaning, before anything is opened.
 *
 * @throws RopeEvalError `bad_option`, exit 2, with the option, what was found and what would be right
 */
export function checkOptions(options: EvaluateOptions): void {
  const parsed = OptionsSchema.safeParse(options);
  if (parsed.success) return;
  const { path, message } = parsed.error.issues[0]!;
  const [name, index] = path;
  // Of a candidate only the whole tells the reader what it is.
  const where = name === 'candidates' && index !== undefined ? path.slice(0, 2) : path;
  const words = name === 'candidates' && path.length > 2 ? CANDIDATE : message;
  const found = where.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown>)[key],
    options,
  );
  const shown = where.map((key) => (typeof key === 'number' ? `[${key}]` : String(key))).join('');
  throw new RopeEvalError(
    where.length === 0
      ? `the options must be an object, found ${show(found)}`
      : `option ${shown}: ${words}, found ${show(found)}`,
    EXIT.usage,
    'bad_option',
    shown,
    name === 'candidates' ? "For example: candidates: parseCandidates('yarn:2,linear:2')." : '',
  );
}
