import { finding, type Finding } from '../../findings/index.js';
import type { Context } from '../../probes/contexts.js';
import type { ContextScores } from '../../probes/measure.js';
import type { Offset } from '../../report/probe-parts/offset.js';
import type { ContextSet } from '../questions.js';
import type { Probe, Run } from '../run.js';
import { AskedSeries, undivided } from '../series.js';

/** Number of texts of one window. The log-probabilities of all their scored tokens are compared. */
const TEXTS = 2;

/** Asks about the same text at the start and at the end of the target's range of positions. */
export const offset: Probe = {
  name: 'offset',
  prepare(run) {
    const { setup, subject, samples, questions } = run;
    if (samples.apart === 0 || !subject.takes.positions) return undefined;
    const group = setup.decisive;
    const { window } = setup.groups[group]!;
    const windows = Math.max(1, setup.target.multiple - 1);
    const shift = {
      tokens: Math.round(windows * window),
      probeTokens: Math.round(windows * subject.window),
    };
    const series = undivided(shiftedTexts(run, shift.probeTokens));
    return ({ label, scaling }) => {
      // The texts are one window long wherever they are placed.
      const ask = (multiple: number): AskedSeries => {
        const at = { group, tokens: Math.round(multiple * window), windows: 1 };
        return new AskedSeries(questions, series, [subject.treat(scaling, at)], label);
      };
      const [home, away] = [ask(1), ask(1 + windows)];
      return {
        asked: [home, away],
        report() {
          const found = driftFound(home, away);
          return found ? { offset: { shift, ...found } } : {};
        },
      };
    };
  },
  findings({ label, offset: found }): Finding[] {
    if (found?.verdict !== 'drifts') return [];
    const args = { candidate: label, drift: found.maxDrift, tokens: found.shift.tokens };
    return [finding('offset_drift', '', args)];
  },
};

/** Makes a set of the texts in their place, followed by the same texts at later positions. */
function shiftedTexts({ sets, subject }: Run, tokens: number): ContextSet {
  const near = sets.short.contexts.slice(0, TEXTS);
  return {
    name: 'offset',
    lengths: [subject.window],
    contexts: [...near, ...near.map((context) => shifted(context, tokens))],
  };
}

/** Moves a text to later positions. Only relative distances count, so nothing may change. */
export function shifted(context: Context, tokens: number): Context {
  const at = (i: number): number => context.positions?.[i] ?? i;
  return { ...context, positions: context.tokens.map((_, i) => at(i) + tokens) };
}

/** Difference in log-probabilities between two readings of the same tokens, in nats. */
export interface ReadingDrift {
  readonly max: number;
  /** Root mean square over the tokens. */
  readonly rms: number;
}

/**
 * Limits of what rounding can explain. If a scaling has broken the model, a single token may move
 * by more than 1e-4 in float32 alone; a wrong table moves all of them.
 */
const LIMITS: ReadingDrift = Object.freeze({ max: 1e-4, rms: 5e-5 });

/** Compares two readings of the same texts token by token. */
export function driftBetween(
  a: readonly ContextScores[],
  b: readonly ContextScores[],
): ReadingDrift {
  const changes = a.flatMap(({ logProbability }, c) =>
    Array.from(logProbability, (value, i) => Math.abs(value - b[c]!.logProbability[i]!)),
  );
  const square = changes.reduce((sum, change) => sum + change * change, 0);
  return { max: Math.max(0, ...changes), rms: Math.sqrt(square / Math.max(1, changes.length)) };
}

/** Whether two readings differ by more than rounding. NaN counts as a difference. */
export function drifts({ max, rms }: ReadingDrift): boolean {
  return !(max <= LIMITS.max || rms <= LIMITS.rms);
}

/**
 * Judges whether a text's reading depends on its position.
 *
 * @param home with the table for a context of one window
 * @param away with the table for a context that ends one window after the shift
 * @returns undefined if they were not answered
 */
function driftFound(home: AskedSeries, away: AskedSeries): Omit<Offset, 'shift'> | undefined {
  const [atHome, atAway] = [home, away].map((asked) => asked.measurement()?.at[0]);
  if (!atHome || !atAway) return undefined;
  const [near, far] = halves(atAway);
  const own = [driftBetween(...halves(atHome)), driftBetween(near, far)].find(drifts);
  if (own) return { maxDrift: own.max, rmsDrift: own.rms, verdict: 'drifts' };
  const moved = driftBetween(halves(atHome)[0], far);
  // The treatments are equal unless the table depends on the length.
  const follows = home.treatments[0] !== away.treatments[0] && drifts(moved);
  const verdict = follows ? 'by-definition' : 'none';
  return { maxDrift: moved.max, rmsDrift: moved.rms, verdict };
}

function halves(scores: readonly ContextScores[]): [ContextScores[], ContextScores[]] {
  const half = scores.length / 2;
  return [scores.slice(0, half), scores.slice(half)];
}
