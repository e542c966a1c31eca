import { JobList } from '../evaluation/jobs.js';
import { contextSets } from '../evaluation/sets.js';
import { windowedLoss } from '../evaluation/summary.js';
import { tablesByRung } from '../evaluation/tables.js';
import type { ProbeTable } from '../geometry/transfer.js';
import { clusters, type Measurement } from '../probes/measure.js';
import { mean } from '../probes/statistics.js';
import type { RopeSpec } from '../rope/types.js';
import { referenceOf, scalingOf, type Bench } from './bench.js';
import type { Samples } from './samples.js';

/** A scaling, with the window multiples that it is wanted at. */
export interface Wanted {
  readonly spec: RopeSpec;
  readonly multiples: readonly number[];
}

/**
 * Contexts of text at 1x. What a scaling costs there is small, and twenty contexts tell it to 0.02
 * nats only; they are as long as one window, so that more of them are cheap.
 */
const HOME_CONTEXTS = 192;

/** Runs scalings on one ladder that holds 1; each up to its longest rung there. */
export async function runLadder(
  bench: Bench,
  scalings: readonly Wanted[],
  ladder: readonly number[],
  samples: Samples,
) {
  const { geometry, member } = bench;
  const plan = { short: 1, shortText: HOME_CONTEXTS, ...samples, apart: 0 };
  const sets = contextSets(bench.language, member.window, ladder, plan, bench.seed, 1);
  const tables = (candidate: RopeSpec, last: number) =>
    tablesByRung(bench.probe, scalingOf(geometry, candidate), ladder.slice(0, last + 1));
  const jobs = new JobList();
  const home = ladder.indexOf(1);
  const homeTables = tables(referenceOf(geometry), Math.max(0, home));
  /** The whole window's text is the second rung of the short one. */
  const atHome = (t: readonly ProbeTable[]) => (t[home] ? [t[home], t[home]] : []);
  if (home >= 0) {
    jobs.add(sets.long, homeTables, 'reference');
    jobs.add(sets.shortText, atHome(homeTables.slice(0, home + 1)), 'reference');
  }
  jobs.add(sets.windows, [homeTables[0]!], 'reference');
  const planned = scalings.map(({ spec, multiples }) => {
    const last = ladder.findLastIndex((m) => multiples.includes(m));
    const t = tables(spec, last);
    jobs.add(sets.long, t, spec.type);
    jobs.add(sets.longText, t, spec.type);
    jobs.add(sets.shortText, atHome(t), spec.type);
    return t;
  });
  await jobs.run(bench.engine, () => {}, undefined);
  const windows = jobs.measurement(sets.windows, [homeTables[0]!])!;
  return {
    rungTokens: sets.long.lengths,
    home,
    reference: home >= 0 ? jobs.measurement(sets.long, homeTables) : undefined,
    windows: windowedLoss(windows, ladder.length),
    facts: planned.map((t) => jobs.measurement(sets.long, t)!),
    text: planned.map((t) => jobs.measurement(sets.longText, t)!),
    homeText: [homeTables, ...planned].map((t) => jobs.measurement(sets.shortText, atHome(t))!),
  };
}

/** What a ladder's run measured. */
export type LadderRun = Awaited<ReturnType<typeof runLadder>>;

const all = (m: Measurement): number[] => m.contexts.map((_, i) => i);

export function lossAt(
  run: LadderRun,
  m: Measurement,
  kind: 'fact' | 'language',
  rung: number,
): number {
  return mean(clusters(m, { kind, rungs: [rung] }, 'loss'), all(m));
}

/** Language loss of a scaling minus the reference's on the same text within its window, nats. */
export function languageChange(run: LadderRun, scaling: number, rung: number): number {
  if (rung === run.home) {
    const [reference, ...others] = run.homeText;
    return homeLoss(others[scaling]!) - homeLoss(reference!);
  }
  const text = run.text[scaling]!;
  return lossAt(run, text, 'language', rung) - mean(run.windows[rung]!, all(text));
}

function homeLoss(text: Measurement): number {
  return mean(clusters(text, { kind: 'language', rungs: [1] }, 'loss'), all(text));
}
