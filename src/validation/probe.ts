import { loadFamily, loadLanguage, chooseMember, openPool } from '../engine/index.js';
import type { Engine, Family, Member } from '../engine/index.js';
import { RopeEvalError } from '../errors.js';
import { JobList } from '../evaluation/jobs.js';
import { contextSets } from '../evaluation/sets.js';
import { windowedLoss } from '../evaluation/summary.js';
import { outOfRangeByRung, tablesByRung, type GroupScaling } from '../evaluation/tables.js';
import { criticalFraction } from '../geometry/critical.js';
import { probeFrequencies, type ProbeTable } from '../geometry/transfer.js';
import type { Language } from '../probes/language.js';
import { clusters, type Measurement } from '../probes/measure.js';
import { mean, runningMaximum } from '../probes/statistics.js';
import type { RopeSpec } from '../rope/types.js';
import { ladders } from './ladders.js';
import type { Samples } from './samples.js';
import type { Geometry } from './types.js';

/** What the probe measured of one scaling at one length; the parts of the score. */
export interface ProbeParts {
  /**
   * Language loss minus the reference's on the same text within its window, nats; beyond the window
   * what it was at a shorter length if that is more, as in a report's score.
   */
  readonly language: number;
  /** What the exact angles add to the score there, nats: `outOfRangeByRung`. */
  readonly outOfRange: number;
  /** Facts' loss minus the reference's at 1x, nats. */
  readonly facts: number;
}

/** A scaling, with the window multiples that it is wanted at. */
export interface Wanted {
  readonly spec: RopeSpec;
  readonly multiples: readonly number[];
}

export interface ProbeOptions {
  readonly threads: number;
  readonly seed: number;
  /** Name of a probe model; otherwise the nearest. */
  readonly member?: string;
}

export interface ProbeAnswer {
  readonly member: string;
  /** The geometry lies within the family's range. */
  readonly inRange: boolean;
  /** (scalings) parts at a multiple */
  readonly parts: readonly ReadonlyMap<number, ProbeParts>[];
}

/** One probe model, ready to run on the scalings of one geometry. */
interface Bench {
  readonly engine: Engine;
  readonly member: Member;
  readonly inRange: boolean;
  readonly language: Language;
  readonly pairs: number;
  readonly geometry: Geometry;
  readonly seed: number;
}

function named(family: Family, name: string): Member {
  const found = family.members.find((m) => m.name === name);
  if (found) return found;
  const names = family.members.map((m) => m.name).join(', ');
  throw new RopeEvalError(`no probe model is called "${name}"; there are ${names}`);
}

/**
 * Opens the member nearest to a geometry, and closes it after the work.
 *
 * @param longest window multiple that it will be given
 */
export async function withBench<T>(
  geometry: Geometry,
  options: ProbeOptions,
  longest: number,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const family = await loadFamily();
  const { theta, window, rotaryShare } = geometry;
  const likeness = { criticalFraction: criticalFraction(theta, window), rotaryShare };
  const nearest = chooseMember(family, likeness);
  const member = options.member === undefined ? nearest.member : named(family, options.member);
  const language = await loadLanguage(family);
  const { threads, seed } = options;
  const request = { member: member.name, device: 'cpu', threads } as const;
  const engine = await openPool(request, longest * member.window);
  const pairs = family.shape.head_dim / 2;
  try {
    const { inRange } = nearest;
    return await work({ engine, member, inRange, language, pairs, geometry, seed });
  } finally {
    await engine.close();
  }
}

function referenceOf({ theta, rotaryDim }: Geometry): RopeSpec {
  return { type: 'default', theta, rotaryDim };
}

function scalingOf(geometry: Geometry, candidate: RopeSpec): GroupScaling {
  const { window } = geometry;
  return { reference: referenceOf(geometry), candidate, window, softmaxScaleRatio: 1 };
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
  const own = {
    invFreq: probeFrequencies(member.theta, bench.pairs, member.rotaryShare),
    window: member.window,
  };
  const tables = (candidate: RopeSpec, last: number) =>
    tablesByRung(own, scalingOf(geometry, candidate), ladder.slice(0, last + 1));
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

function lossAt(run: LadderRun, m: Measurement, kind: 'fact' | 'language', rung: number): number {
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

/** Changes by multiple, from 1x on each the worst so far. */
function worstSoFar(changes: ReadonlyMap<number, number>): Map<number, number> {
  const beyond = [...changes].filter(([at]) => at >= 1).sort(([a], [b]) => a - b);
  const most = runningMaximum(beyond.map(([, change]) => change));
  return new Map([...changes, ...beyond.map(([at], i) => [at, most[i]!] as const)]);
}

/** Runs every scaling of one model geometry on the nearest member of the family. */
export async function probe(
  geometry: Geometry,
  scalings: readonly Wanted[],
  samples: Samples,
  options: ProbeOptions,
): Promise<ProbeAnswer> {
  const wanted = scalings.flatMap((s) => s.multiples);
  return withBench(geometry, options, Math.max(...wanted), async (bench) => {
    const facts = scalings.map(() => new Map<number, number>());
    const changes = scalings.map(() => new Map<number, number>());
    let atHome = 0;
    for (const ladder of ladders(wanted)) {
      const here = scalings.flatMap((s, i) =>
        s.multiples.some((m) => ladder.includes(m)) ? [i] : [],
      );
      const run = await runLadder(
        bench,
        here.map((i) => scalings[i]!),
        ladder,
        samples,
      );
      // The first ladder has 1: what every other one is compared with as well.
      if (run.reference) atHome = lossAt(run, run.reference, 'fact', run.home);
      here.forEach((scaling, k) => {
        const last = ladder.findLastIndex((m) => scalings[scaling]!.multiples.includes(m));
        ladder.slice(0, last + 1).forEach((multiple, rung) => {
          changes[scaling]!.set(multiple, languageChange(run, k, rung));
          facts[scaling]!.set(multiple, lossAt(run, run.facts[k]!, 'fact', rung) - atHome);
        });
      });
    }
    const parts = scalings.map(({ spec, multiples }, i) => {
      const worst = worstSoFar(changes[i]!);
      const outOfRange = outOfRangeByRung(scalingOf(geometry, spec), multiples);
      return new Map(
        multiples.map((m, k) => [
          m,
          { language: worst.get(m)!, outOfRange: outOfRange[k]!, facts: facts[i]!.get(m)! },
        ]),
      );
    });
    return { member: bench.member.name, inRange: bench.inRange, parts };
  });
}
