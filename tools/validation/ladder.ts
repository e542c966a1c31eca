import { RopeEvalError } from '../../src/errors.js';
import { contextSets } from '../../src/evaluation/context-sets.js';
import { JobList } from '../../src/evaluation/jobs.js';
import { windowedLoss } from '../../src/evaluation/summary.js';
import { type GroupScaling, probeGeometry, tablesByRung } from '../../src/evaluation/tables.js';
import { criticalFraction } from '../../src/geometry/spectrum.js';
import type { ProbeGeometry, ProbeTable } from '../../src/geometry/transfer.js';
import type { Language } from '../../src/probes/language.js';
import { clusters, type Measurement } from '../../src/probes/measure.js';
import { mean } from '../../src/probes/statistics.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import {
  chooseMember,
  type Engine,
  type Family,
  loadFamily,
  loadLanguage,
  type Member,
  openPool,
} from '../../src/subjects/bundled/index.js';
import type { Geometry } from './types.js';

/** Longest length that is probed, in windows. */
export const LONGEST = 32;
/** Lengths are read to the nearest sixteenth of a window. */
const STEP = 1 / 16;
/** Shortest rung, and room between rungs for a question of every distance, in windows. */
const SHORTEST = 0.25;
/** A context has a key of its own for every question, so a ladder holds only so many rungs. */
const MOST_RUNGS = 16;

/**
 * The window multiple at which a length is probed: the nearest sixteenth, and a quarter at least.
 *
 * @param length tokens, @param window trained window in tokens
 */
export function rungOf(length: number, window: number): number {
  return Math.max(SHORTEST, Math.round(length / window / STEP) * STEP);
}

/**
 * Spreads multiples over as few ladders as their distance allows: rungs of one stand a quarter of
 * a window apart. The first holds 1, which losses are compared with, and each ends at 1 or beyond,
 * so that its text has a whole window.
 *
 * @returns ascending ladders; every multiple stands on one of them
 */
export function ladders(multiples: readonly number[]): number[][] {
  const found: number[][] = [[1]];
  const free = (ladder: readonly number[], multiple: number): boolean =>
    ladder.length < MOST_RUNGS && ladder.every((m) => Math.abs(m - multiple) >= SHORTEST);
  for (const multiple of [...new Set(multiples)].sort((a, b) => a - b)) {
    if (found.some((ladder) => ladder.includes(multiple))) continue;
    const ladder = found.find((l) => free(l, multiple));
    if (ladder) ladder.push(multiple);
    else found.push([multiple]);
  }
  return found.map((ladder) => {
    const sorted = ladder.sort((a, b) => a - b);
    return sorted.at(-1)! < 1 ? [...sorted, 1.25] : sorted;
  });
}

/** Contexts of each scaling on a ladder. */
export interface Samples {
  readonly long: number;
  readonly longText: number;
}

export const FULL: Samples = Object.freeze({ long: 10, longText: 20 });
/** Fewer contexts than these and the order of scalings is noise. */
const FEWEST: Samples = Object.freeze({ long: 2, longText: 4 });

/** Probe tokens at which attention costs as much as the rest of the model. */
const ATTENTION_TOKENS = 1024;
/** Weighted tokens of a whole file; about three minutes on two cores (docs/validation.md). */
const BUDGET = 10e6;

/** Weighted tokens of one context of each scaling: attention grows with the length squared. */
export function costOfOne(scalings: readonly Wanted[], window: number): number {
  const all = ladders(scalings.flatMap((s) => s.multiples));
  const passes = scalings.flatMap(({ multiples }) =>
    all.map((ladder) => Math.max(0, ...ladder.filter((m) => multiples.includes(m)))),
  );
  return passes.reduce((sum, longest) => {
    const tokens = longest * window;
    return sum + tokens * (1 + tokens / ATTENTION_TOKENS);
  }, 0);
}

/**
 * Contexts that the budget allows for a file's scalings.
 *
 * @param cost `costOfOne`, summed over the models
 */
export function samplesWithin(cost: number): Samples {
  const share = Math.min(1, BUDGET / (cost * (FULL.long + FULL.longText)));
  return {
    long: Math.max(FEWEST.long, Math.floor(FULL.long * share)),
    longText: Math.max(FEWEST.longText, Math.floor(FULL.longText * share)),
  };
}

export interface ProbeOptions {
  readonly threads: number;
  readonly seed: number;
  /** Name of a probe model; otherwise the nearest. */
  readonly member?: string;
}

/** One probe model, ready to run on the scalings of one geometry. */
export interface Bench {
  readonly engine: Engine;
  readonly member: Member;
  readonly inRange: boolean;
  /** The member, as the geometry's scalings are carried over to it. */
  readonly probe: ProbeGeometry;
  readonly language: Language;
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
  const probe = probeGeometry(family, member, referenceOf(geometry), window, nearest.below);
  try {
    const { inRange } = nearest;
    return await work({ engine, member, inRange, probe, language, geometry, seed });
  } finally {
    await engine.close();
  }
}

export function referenceOf({ theta, rotaryDim }: Geometry): RopeSpec {
  return { type: 'default', theta, rotaryDim };
}

export function scalingOf(geometry: Geometry, candidate: RopeSpec): GroupScaling {
  const { window } = geometry;
  return { reference: referenceOf(geometry), candidate, window, softmaxScaleRatio: 1 };
}

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
