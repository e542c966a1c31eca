import { RopeEvalError } from '../../src/errors.js';
import { contextSets } from '../../src/evaluation/context-sets.js';
import { type Asked, QuestionList } from '../../src/evaluation/questions.js';
import { windowedLoss } from '../../src/evaluation/summary.js';
import { criticalFraction } from '../../src/geometry/spectrum.js';
import { clusters, type Measurement } from '../../src/probes/measure.js';
import { mean } from '../../src/probes/statistics.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { type Family, loadFamily, type Member } from '../../src/subjects/bundled/family.js';
import { type BundledSubject, bundledSubject } from '../../src/subjects/bundled/subject.js';
import type { RotaryTreatment } from '../../src/subjects/bundled/treatment.js';
import { scaleGroup, trainedGroup } from '../../src/subjects/scaling.js';
import type { GroupScaling, TrainedGroup } from '../../src/subjects/subject.js';
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
  readonly subject: BundledSubject;
  /** Has questions answered. */
  readonly answer: (questions: QuestionList) => Promise<boolean>;
  readonly member: Member;
  readonly inRange: boolean;
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
  const { theta, window, rotaryShare } = geometry;
  const { threads, seed } = options;
  const wanted = options.member;
  const model = {
    groups: [trainedOf(geometry)],
    decisive: 0,
    criticalFraction: criticalFraction(theta, window),
    rotaryShare,
  };
  const subject = await bundledSubject(model, {
    member: wanted === undefined ? undefined : named(await loadFamily(), wanted).name,
    device: 'cpu',
    threads,
  });
  const { member, inRange } = subject.probe;
  const { lanes, tokensPerRequest } = await subject.open(longest * member.window);
  const respondent = { lanes, tokensPerRequest, score: subject.score.bind(subject) };
  try {
    return await work({
      subject,
      answer: (questions) => questions.answer(respondent),
      member,
      inRange,
      geometry,
      seed,
    });
  } finally {
    await subject.close();
  }
}

export function referenceOf({ theta, rotaryDim }: Geometry): RopeSpec {
  return { type: 'default', theta, rotaryDim };
}

/** What the weights of a geometry know. */
function trainedOf(geometry: Geometry): TrainedGroup {
  const { window } = geometry;
  const reference = referenceOf(geometry);
  return trainedGroup({ layerType: 'full_attention', local: false, window, reference });
}

export function scalingOf(geometry: Geometry, candidate: RopeSpec): GroupScaling {
  return scaleGroup(trainedOf(geometry), candidate);
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
  const { geometry, subject, seed } = bench;
  const { texts, window, lossScale } = subject;
  const plan = { short: 1, shortText: HOME_CONTEXTS, ...samples };
  const sets = contextSets({ texts, window, multiples: ladder, samples: plan, seed });
  const treatments = (candidate: RopeSpec, last: number): RotaryTreatment[] => {
    const scaling = { label: candidate.type, groups: [scalingOf(geometry, candidate)] };
    const at = (multiple: number) => ({ group: 0, tokens: Math.round(multiple * geometry.window) });
    return ladder.slice(0, last + 1).map((multiple) => subject.treat(scaling, at(multiple)));
  };
  const questions = new QuestionList(lossScale);
  const home = ladder.indexOf(1);
  const homeTreatments = treatments(referenceOf(geometry), Math.max(0, home));
  /** The whole window's text is the second rung of the short one. */
  const askAtHome = (t: readonly RotaryTreatment[], label: string): Asked =>
    questions.ask(sets.shortText, t[home] ? [t[home], t[home]] : [], label);
  const reference = home >= 0 ? questions.ask(sets.ladder, homeTreatments, 'reference') : undefined;
  const homeText = askAtHome(homeTreatments, 'reference');
  const windows = questions.ask(sets.windows, [homeTreatments[0]!], 'reference');
  const asked = scalings.map(({ spec, multiples }) => {
    const last = ladder.findLastIndex((m) => multiples.includes(m));
    const t = treatments(spec, last);
    return {
      facts: questions.ask(sets.ladder, t, spec.type),
      text: questions.ask(sets.ladderText, t, spec.type),
      homeText: askAtHome(t, spec.type),
    };
  });
  await bench.answer(questions);
  const of = (handle: Asked): Measurement => questions.measurement(handle)!;
  return {
    rungTokens: sets.ladder.lengths,
    home,
    reference: reference && of(reference),
    windows: windowedLoss(of(windows), ladder.length),
    facts: asked.map(({ facts }) => of(facts)),
    text: asked.map(({ text }) => of(text)),
    homeText: [homeText, ...asked.map((each) => each.homeText)].map(of),
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
