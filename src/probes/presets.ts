/** Contexts of each probe. Versioned with the report: a change is another measurement. */
export interface PresetPlan {
  /** Facts and copies at 0.5x and 1x. */
  readonly short: number;
  /** Text alone at 0.5x and 1x. */
  readonly shortText: number;
  /** Facts on the ladder. */
  readonly long: number;
  /** Text alone on the ladder. */
  readonly longText: number;
  /** Facts, stretched and squeezed to the target; 0: no decomposition. */
  readonly apart: number;
}

export const PRESETS: Readonly<Record<'quick' | 'standard' | 'thorough', PresetPlan>> =
  Object.freeze({
    quick: { short: 12, shortText: 20, long: 6, longText: 6, apart: 0 },
    standard: { short: 32, shortText: 48, long: 12, longText: 10, apart: 6 },
    thorough: { short: 128, shortText: 192, long: 48, longText: 40, apart: 24 },
  });

/** A scaling whose verdict a preset's long contexts leave open gets up to so many times as many. */
const MOST = 4;

/** Contexts of facts on the ladder that a scaling gets at most; `--samples` says how many exactly. */
export function mostLong(plan: PresetPlan, samples: number | undefined): number {
  return samples === undefined ? MOST * plan.long : plan.long;
}

/** Contexts that one `--samples` makes of each probe: the cheap ones get more. */
export const CONTEXTS_PER_SAMPLE = Object.freeze({
  short: 2,
  shortText: 4,
  long: 1,
  longText: 1,
  apart: 1,
});

/** @param samples overrides the preset's counts; a preset without a decomposition gets none */
export function planOf(preset: keyof typeof PRESETS, samples: number | undefined): PresetPlan {
  const plan = PRESETS[preset];
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

/** Questions at each rung; keys must differ within a context, so long ladders ask fewer. */
export function questionsPerRung(rungs: number, symbols: number): number {
  return Math.max(3, Math.min(6, Math.floor((symbols * 0.95) / rungs)));
}

/** Rungs of the short probe as window multiples. */
export const SHORT_RUNGS = Object.freeze([0.5, 1]);

/** Rungs of a ladder closer than this, in windows, are one: there is no text of its own between them. */
export const NEAREST_RUNGS = 1 / 16;
