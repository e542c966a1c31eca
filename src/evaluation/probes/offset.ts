import { finding, type Finding } from '../../findings/index.js';
import type { Context } from '../../probes/contexts.js';
import type { ContextScores } from '../../probes/measure.js';
import type { Offset } from '../../report/schema/candidate.js';
import type { ContextSet } from '../questions.js';
import type { Probe, Run } from '../run.js';
import { AskedSeries, undivided } from '../series.js';

/** Texts of one window; log-probabilities of all their scored tokens are compared. */
const TEXTS = 2;

/** The same text at the start and at the end of the target's range of positions. */
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
      // Wherever they stand, the texts are one window long.
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

/** The texts where they were, then the same texts further on. */
function shiftedTexts({ sets, subject }: Run, tokens: number): ContextSet {
  const near = sets.short.contexts.slice(0, TEXTS);
  return {
    name: 'offset',
    lengths: [subject.window],
    contexts: [...near, ...near.map((context) => shifted(context, tokens))],
  };
}

/** The same text further on; attention sees relative distances alone, so nothing may change. */
export function shifted(context: Context, tokens: number): Context {
  const at = (i: number): number => context.positions?.[i] ?? i;
  return { ...context, positions: context.tokens.map((_, i) => at(i) + tokens) };
}

/** Change of log-probabilities between two readings of the same tokens, nats. */
export interface ReadingDrift {
  readonly max: number;
  /** Root of the mean square over the tokens. */
  readonly rms: number;
}

/**
 * What rounding cannot explain. Where a scaling has broken the model, a lone token may move by more
 * than 1e-4 through float32 alone; a wrong table moves them all.
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

/** Whether readings differ by more than rounding; a value that is no number does, too. */
export function drifts({ max, rms }: ReadingDrift): boolean {
  return !(max <= LIMITS.max || rms <= LIMITS.rms);
}

/**
 * @param home with the table of a context of one window
 * @param away with that of a context that ends one window after the shift
 * @returns undefined where they were not answered
 */
function driftFound(home: AskedSeries, away: AskedSeries): Omit<Offset, 'shift'> | undefined {
  const [atHome, atAway] = [home, away].map((asked) => asked.measurement()?.at[0]);
  if (!atHome || !atAway) return undefined;
  const [near, far] = halves(atAway);
  const own = [driftBetween(...halves(atHome)), driftBetween(near, far)].find(drifts);
  if (own) return { maxDrift: own.max, rmsDrift: own.rms, verdict: 'drifts' };
  const moved = driftBetween(halves(atHome)[0], far);
  // Both are one treatment where the table does not follow the length.
  const follows = home.treatments[0] !== away.treatments[0] && drifts(moved);
  const verdict = follows ? 'by-definition' : 'none';
  return { maxDrift: moved.max, rmsDrift: moved.rms, verdict };
}

function halves(scores: readonly ContextScores[]): [ContextScores[], ContextScores[]] {
  const half = scores.length / 2;
  return [scores.slice(0, half), scores.slice(half)];
}
