import type { ProbeGeometry, ProbeTable } from '../geometry/transfer.js';
import type { Context } from '../probes/contexts.js';
import type { ContextScores } from '../probes/measure.js';
import type { Offset } from '../report/schema/candidate.js';
import type { Plan } from './candidate.js';
import type { ContextSet, JobList } from './jobs.js';
import { probeTable, tableKey } from './tables.js';

/** Change of log-probabilities between two readings of the same tokens, nats. */
export interface Drift {
  readonly max: number;
  /** Root of the mean square over the tokens. */
  readonly rms: number;
}

/**
 * What rounding cannot explain. Where a scaling has broken the model, a lone token may move by more
 * than 1e-4 through float32 alone; a wrong table moves them all.
 */
const LIMITS: Drift = Object.freeze({ max: 1e-4, rms: 5e-5 });

/** The same text further on; attention sees relative distances alone, so nothing may change. */
export function shifted(context: Context, tokens: number): Context {
  const at = (i: number): number => context.positions?.[i] ?? i;
  return { ...context, positions: context.tokens.map((_, i) => at(i) + tokens) };
}

/** Compares two readings of the same texts token by token. */
export function driftBetween(a: readonly ContextScores[], b: readonly ContextScores[]): Drift {
  const changes = a.flatMap(({ logProbability }, c) =>
    Array.from(logProbability, (value, i) => Math.abs(value - b[c]!.logProbability[i]!)),
  );
  const square = changes.reduce((sum, change) => sum + change * change, 0);
  return { max: Math.max(0, ...changes), rms: Math.sqrt(square / Math.max(1, changes.length)) };
}

/** Whether readings differ by more than rounding; a value that is no number does, too. */
export function drifts({ max, rms }: Drift): boolean {
  return !(max <= LIMITS.max || rms <= LIMITS.rms);
}

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
