import type { ProbeGeometry } from '../geometry/transfer.js';
import type { Context } from '../probes/contexts.js';
import type { ContextScores } from '../probes/measure.js';
import { driftBetween, drifts, shifted } from '../probes/offset.js';
import type { Offset } from '../report/serving-schema.js';
import type { ProbeTable } from '../geometry/transfer.js';
import { probeTable, tableKey } from './tables.js';
import type { Plan } from './candidate.js';
import type { ContextSet, JobList } from './jobs.js';

/** Texts of one window; log-probabilities of all their scored tokens are compared. */
const TEXTS = 2;

export interface OffsetPlan {
  /** The texts where they were, then the same texts further on. */
  readonly set: ContextSet;
  readonly shift: Offset['shift'];
  /** Table of a context of one window. */
  readonly home: ProbeTable;
  /** Table of a context that ends one window after the shift; the same unless it follows the length. */
  readonly away: ProbeTable;
}

/**
 * The same text at the start and at the end of the target's range of positions.
 *
 * @param texts short contexts, one window long
 * @param target window multiple
 */
export function planOffset(
  plan: Plan,
  main: number,
  probe: ProbeGeometry,
  texts: readonly Context[],
  target: number,
): OffsetPlan {
  const windows = Math.max(1, target - 1);
  const probeTokens = Math.round(windows * probe.window);
  const scaling = plan.scalings[main]!;
  const { window } = scaling;
  // Wherever they stand, the texts are one window long.
  const table = (multiple: number) =>
    probeTable(probe, scaling, Math.round(multiple * window), window);
  const near = texts.slice(0, TEXTS);
  return {
    set: {
      name: 'offset',
      lengths: [probe.window],
      contexts: [...near, ...near.map((context) => shifted(context, probeTokens))],
    },
    shift: { tokens: Math.round(windows * window), probeTokens },
    home: table(1),
    away: table(1 + windows),
  };
}

export function addOffset({ set, home, away }: OffsetPlan, jobs: JobList, label: string): void {
  jobs.add(set, [home], label);
  jobs.add(set, [away], label);
}

/** @returns undefined where it was not run */
export function reportOffset(plan: OffsetPlan, jobs: JobList): Offset | undefined {
  const { set, shift, home, away } = plan;
  const [atHome, atAway] = [home, away].map((t) => jobs.measurement(set, [t])?.at[0]);
  if (!atHome || !atAway) return undefined;
  const [near, far] = halves(atAway);
  const own = [driftBetween(...halves(atHome)), driftBetween(near, far)].find(drifts);
  if (own) return { shift, maxDrift: own.max, rmsDrift: own.rms, verdict: 'drifts' };
  const moved = driftBetween(halves(atHome)[0], far);
  const follows = tableKey(home) !== tableKey(away) && drifts(moved);
  const verdict = follows ? 'by-definition' : 'none';
  return { shift, maxDrift: moved.max, rmsDrift: moved.rms, verdict };
}

function halves(scores: readonly ContextScores[]): [ContextScores[], ContextScores[]] {
  const half = scores.length / 2;
  return [scores.slice(0, half), scores.slice(half)];
}
