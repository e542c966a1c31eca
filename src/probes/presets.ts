/** The bounds of a run, on the command line and in the library alike. */
export const LIMITS = Object.freeze({
  /** Seeds have 32 bits because the generator's state starts from one. */
  seed: 2 ** 32 - 1,
  /** More contexts than this take days on a laptop. */
  samples: 100_000,
  /** The probe models are small: more than 8 threads gain nothing, and hundreds never finish. */
  threads: 64,
});

/** The seed of the contexts where none is given. */
export const DEFAULT_SEED = 1;

/** Presets, from the fewest contexts to the most. */
export const PRESET_NAMES = ['quick', 'standard', 'thorough'] as const;
/** How thorough a run is. */
export type Preset = (typeof PRESET_NAMES)[number];

/** The execution providers of ONNX Runtime that are supported. */
export const PROVIDERS = ['cpu', 'cuda'] as const;
export type Provider = (typeof PROVIDERS)[number];
/** Values of the option `device`. `auto` uses CUDA if it works. */
export const DEVICES = ['auto', ...PROVIDERS] as const;
export type Device = (typeof DEVICES)[number];

/** Contexts of each probe, versioned with the report: a change makes results incomparable. */
export interface PresetPlan {
  /** Facts and copies at 0.5x and 1x. */
  readonly short: number;
  /** Text alone at 0.5x and 1x. */
  readonly shortText: number;
  /** Facts on the ladder. */
  readonly long: number;
  /** Text alone on the ladder. */
  readonly longText: number;
  /** Facts, both stretched and squeezed to the target; 0: no decomposition. */
  readonly apart: number;
}

/** The contexts of each preset. */
export const PRESETS: Readonly<Record<Preset, PresetPlan>> = Object.freeze({
  quick: { short: 12, shortText: 20, long: 6, longText: 6, apart: 0 },
  standard: { short: 32, shortText: 48, long: 12, longText: 10, apart: 6 },
  thorough: { short: 128, shortText: 192, long: 48, longText: 40, apart: 24 },
});

/**
 * Where the preset's long contexts leave a verdict open, the scaling gets up to this many times as
 * many.
 */
const MOST = 4;

/** Returns the most contexts of facts on the ladder that a scaling gets; `samples` is exact. */
export function mostLong(plan: PresetPlan, samples: number | undefined): number {
  return samples === undefined ? MOST * plan.long : plan.long;
}

/** The contexts of each probe per `--samples`. Cheap probes get more. */
export const CONTEXTS_PER_SAMPLE = Object.freeze({
  short: 2,
  shortText: 4,
  long: 1,
  longText: 1,
  apart: 1,
});

/**
 * Returns the contexts of each probe.
 *
 * @param samples overrides the preset's counts; a preset without a decomposition still gets none
 */
export function planOf(plan: PresetPlan, samples: number | undefined): PresetPlan {
  if (samples === undefined) return plan;
  const contexts = (probe: keyof PresetPlan): number =>
    Math.ceil(CONTEXTS_PER_SAMPLE[probe] * samples);
  return {
    short: contexts('short'),
    shortText: contexts('shortText'),
    long: contexts('long'),
    longText: contexts('longText'),
    apart: plan.apart === 0 ? 0 : contexts('apart'),
  };
}

/** Returns the questions at each rung. Keys must differ in a context, so long ladders ask fewer. */
export function questionsPerRung(rungs: number, symbols: number): number {
  return Math.max(3, Math.min(6, Math.floor((symbols * 0.95) / rungs)));
}

/** The rungs of the short probe, as window multiples. */
export const SHORT_RUNGS = Object.freeze([0.5, 1]);

/** Rungs closer than this, in windows, are merged: they would have no text of their own. */
export const NEAREST_RUNGS = 1 / 16;

/** The rungs below the target, as shares of it: fine where scalings tend to end, coarse below. */
const SHARES = Object.freeze([7 / 8, 3 / 4, 5 / 8, 1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8, 1 / 16]);

/** The shortest rung, which has room for a question at every distance. */
const SHORTEST = 0.25;

/**
 * Returns the window multiples at which the long probe asks, ascending: always 1, the target, and
 * about 2 if the target lies beyond.
 *
 * @param extra further multiples; those below a quarter of the window are left out, and those
 *   within `NEAREST_RUNGS` of another rung are read there
 */
export function ladder(target: number, extra: readonly number[] = []): number[] {
  const rungs = [target, 1];
  const add = (multiple: number): void => {
    if (rungs.every((m) => Math.abs(m - multiple) >= NEAREST_RUNGS)) rungs.push(multiple);
  };
  for (const share of SHARES) if (share * target > 1.05) add(share * target);
  if (target > 2 && !rungs.some((m) => Math.abs(m - 2) < 0.2)) add(2);
  for (const multiple of extra) if (multiple >= SHORTEST) add(multiple);
  return [...new Set(rungs)].sort((a, b) => a - b);
}

/** Returns the length of a window multiple in probe tokens. */
export function probeTokens(multiple: number, window: number): number {
  return Math.round(multiple * window);
}
