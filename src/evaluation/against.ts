import { SHORT_RUNGS } from '../probes/presets.js';
import { resamples, type Cluster } from '../probes/statistics.js';
import type { ProbeTable } from '../geometry/transfer.js';
import type { Rotation } from './cached.js';
import type { Plan } from './candidate.js';
import type { FurtherContexts } from './further.js';
import type { ContextSet, JobList } from './jobs.js';
import type { Sets } from './sets.js';
import type { Setup } from './setup.js';
import { windowedLoss, type Comparison, type Measured, type TextMeasured } from './summary.js';

export type SetName = 'short' | 'shortText' | 'long' | 'longText';

/** The reference's results, per set; undefined where they were not run to the end. */
export interface Against extends Partial<Record<SetName, Comparison>> {
  readonly windowed?: readonly (readonly Cluster[])[];
}

export function comparisons(
  jobs: JobList,
  sets: Sets,
  further: FurtherContexts,
  reference: Plan,
  setup: Setup,
  multiples: readonly number[],
  seed: number,
): Against {
  const { window } = reference.scalings[setup.main]!;
  const make = (set: ContextSet, tables: readonly ProbeTable[], rungs: readonly number[]) => {
    const measurement = jobs.measurement(set, tables);
    return (
      measurement && {
        set,
        rungs: rungs.map((m) => ({ multiple: m, tokens: Math.round(m * window) })),
        home: Math.max(0, rungs.indexOf(1)),
        draws: resamples(set.contexts.length, seed),
        reference: measurement,
      }
    );
  };
  const short = reference.short[setup.main]!;
  const long = make(sets.long, reference.long, multiples);
  const entries = {
    short: make(sets.short, short, SHORT_RUNGS),
    shortText: make(sets.shortText, short, SHORT_RUNGS),
    long: long && { ...long, reference: further.measurement(long.reference, jobs, reference.long) },
    longText: make(sets.longText, reference.long, multiples),
  };
  const windows = jobs.measurement(sets.windows, [short[1]!]);
  const windowed = windows && windowedLoss(windows, multiples.length);
  const found = Object.entries({ ...entries, windowed }).filter(([, c]) => c !== undefined);
  return Object.fromEntries(found) as Against;
}

/** What tables, one per rung, made of a set; undefined where they or the reference were not run. */
export function measuredOn(
  against: Against,
  jobs: JobList,
  sets: Sets,
  name: SetName,
  tables: readonly Rotation[],
): Measured | undefined {
  const comparison = against[name];
  const measurement = jobs.measurement(sets[name], tables);
  return comparison && measurement && { ...comparison, measurement };
}

/** Adds the reference's loss within its window, which the text on the ladder is measured against. */
export function withWindows(
  text: Measured | undefined,
  { windowed }: Against,
): TextMeasured | undefined {
  return text && windowed && { ...text, windowed };
}
