import { RopeEvalError } from '../../src/errors.js';
import { type Asked, type ContextSet, QuestionList } from '../../src/evaluation/questions.js';
import { contextSets, drawContexts, STREAM } from '../../src/evaluation/series.js';
import { windowedLoss } from '../../src/evaluation/results.js';
import { type Cluster, clusters, type Measurement } from '../../src/probes/measure.js';
import { probeTokens } from '../../src/probes/presets.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import { loadFamily } from '../../src/subjects/bundled/family.js';
import {
  type BundledSubject,
  bundledSubject,
  type RotaryTreatment,
} from '../../src/subjects/bundled/subject.js';
import {
  type GroupScaling,
  scaleGroup,
  trainedGroup,
  type TrainedGroup,
} from '../../src/subjects/subject.js';
import { criticalFraction } from './formulas.js';
import { onLadder, type Samples, type Wanted, weighted } from './ladder.js';
import type { Geometry } from './types.js';

export interface ProbeOptions {
  /** Threads of the engine. */
  readonly jobs: number;
  readonly seed: number;
  /** Name of a probe model; default: the nearest one. */
  readonly member?: string;
}

/** One probe model, prepared for the scalings of one geometry. */
export interface Bench {
  readonly subject: BundledSubject;
  readonly geometry: Geometry;
  readonly seed: number;
}

/** Checks the name of a probe model. @throws RopeEvalError (exit 2) if no member has it */
async function named(name: string): Promise<string> {
  const { members } = await loadFamily();
  if (members.some((m) => m.name === name)) return name;
  const names = members.map((m) => m.name).join(', ');
  throw new RopeEvalError('usage', {
    problem: `no probe model is called "${name}"; there are ${names}`,
  });
}

/** Opens the member nearest to a geometry, or the one that was asked for by name. */
export async function benchOf(geometry: Geometry, options: ProbeOptions): Promise<Bench> {
  const { theta, window, rotaryShare } = geometry;
  const model = {
    groups: [trainedOf(geometry)],
    decisive: 0,
    criticalFraction: criticalFraction(theta, window),
    rotaryShare,
  };
  const { member, jobs: threads, seed } = options;
  const subject = await bundledSubject(model, {
    member: member === undefined ? undefined : await named(member),
    device: 'cpu',
    threads,
  });
  return { subject, geometry, seed };
}

const nameOf = ({ subject }: Bench): string => subject.probe.member.name;

export function referenceOf({ theta, rotaryDim }: Geometry): RopeSpec {
  return { type: 'default', theta, rotaryDim };
}

/** What weights of this geometry were trained with. */
function trainedOf(geometry: Geometry): TrainedGroup {
  const { window } = geometry;
  const reference = referenceOf(geometry);
  return trainedGroup({ layerType: 'full_attention', local: false, window, reference });
}

export function scalingOf(geometry: Geometry, candidate: RopeSpec): GroupScaling {
  return scaleGroup(trainedOf(geometry), candidate);
}

/** (multiples) treatments of the probe by a scaling at each length. */
function treatments(
  { subject, geometry }: Bench,
  candidate: RopeSpec,
  multiples: readonly number[],
): RotaryTreatment[] {
  const scaling = { label: candidate.type, groups: [scalingOf(geometry, candidate)] };
  return multiples.map((multiple) =>
    subject.treat(scaling, { group: 0, tokens: Math.round(multiple * geometry.window) }),
  );
}

/** Passes of one member, with a function that reads their results after they have been run. */
export interface Passes<T> {
  readonly bench: Bench;
  readonly questions: QuestionList;
  /** Longest context, probe tokens. */
  readonly longest: number;
  read(): T;
}

/** A mean, with the number of scored tokens behind it. */
export interface Mean {
  readonly value: number;
  readonly tokens: number;
}

/** @throws RopeEvalError if nothing was scored, because the mean would be NaN */
function meanOf(list: readonly Cluster[], what: string): Mean {
  const sum = list.reduce((total, c) => total + c.sum, 0);
  const tokens = list.reduce((total, c) => total + c.count, 0);
  if (tokens === 0 || !Number.isFinite(sum))
    throw new RopeEvalError('not_measured', {
      problem: `${what}: ${tokens} scored tokens, their sum ${sum}`,
    });
  return { value: sum / tokens, tokens };
}

const minus = (a: Mean, b: Mean): Mean => ({
  value: a.value - b.value,
  tokens: Math.min(a.tokens, b.tokens),
});

/**
 * Number of text contexts at 1x. The costs of scalings are small there, and twenty contexts would
 * only determine them to 0.02 nats. The contexts are one window long, so many of them are cheap.
 */
const HOME_CONTEXTS = 192;

/** (scalings) language loss minus the reference's, nats. */
export type TextRun = readonly Mean[];

/**
 * Plans texts of one length within the window. Their number is chosen so that about as many tokens
 * are scored at every length as at 1x.
 *
 * @param multiple 1 at most
 */
export function planText(
  bench: Bench,
  scalings: readonly RopeSpec[],
  multiple: number,
): Passes<TextRun> {
  const { window, texts, lossScale } = bench.subject;
  const span = window / 2;
  const length = probeTokens(multiple, window);
  const write = (s: number, i: number) => texts.text({ rungs: [length], span }, s, i);
  const draw = { seed: bench.seed, stream: STREAM.shortText };
  // The head of a document (its first token and the declarations) is never scored.
  const { head } = drawContexts({ ...draw, count: 1 }, write)[0]!;
  const count = Math.ceil((HOME_CONTEXTS * span) / Math.min(span, length - head));
  const contexts = drawContexts({ ...draw, count }, write);
  const set: ContextSet = { name: 'short-text', lengths: [length], contexts };
  const questions = new QuestionList({ lossScale });
  const asked = [referenceOf(bench.geometry), ...scalings].map((spec) =>
    questions.ask(set, treatments(bench, spec, [multiple]), spec.type),
  );
  const loss = (one: Asked): Mean =>
    meanOf(
      clusters(questions.measurement(one)!, { kind: 'language', rungs: [0] }, 'loss'),
      `language at ${multiple}x of ${nameOf(bench)}`,
    );
  const read = (): TextRun => {
    const [reference, ...others] = asked.map(loss);
    return others.map((own) => minus(own, reference!));
  };
  return { bench, questions, longest: length, read };
}

/** The results of the passes on one ladder. */
export interface LadderRun {
  readonly ladder: readonly number[];
  readonly home: number;
  /** The reference's facts; undefined if the ladder does not contain 1. */
  readonly reference: Measurement | undefined;
  /** (scalings) */
  readonly facts: readonly Measurement[];
  /**
   * Language loss of a scaling minus the reference's on the same text within its window, in nats.
   */
  language(scaling: number, rung: number): Mean;
}

/** Plans scalings on one ladder, each up to its longest rung. */
export function planLadder(
  bench: Bench,
  scalings: readonly Wanted[],
  ladder: readonly number[],
  samples: Samples,
): Passes<LadderRun> {
  const { geometry, seed } = bench;
  const { texts, window, textSpan, lossScale } = bench.subject;
  const plan = { short: 0, shortText: 0, ...samples };
  const sets = contextSets({ texts, window, textSpan, multiples: ladder, samples: plan, seed });
  const upTo = (candidate: RopeSpec, last: number): RotaryTreatment[] =>
    treatments(bench, candidate, ladder.slice(0, last + 1));
  const questions = new QuestionList({ lossScale });
  const home = ladder.indexOf(1);
  const homeTables = upTo(referenceOf(geometry), Math.max(0, home));
  const reference = home >= 0 ? questions.ask(sets.ladder, homeTables, 'reference') : undefined;
  const windows = questions.ask(sets.windows, [homeTables[0]!], 'reference');
  const asked = scalings.map((scaling) => {
    const mine = onLadder(scaling);
    const last = ladder.findLastIndex((m) => mine.includes(m));
    const t = upTo(scaling.spec, last);
    return {
      facts: questions.ask(sets.ladder, t, scaling.spec.type),
      text: questions.ask(sets.ladderText, t, scaling.spec.type),
    };
  });
  const of = (handle: Asked): Measurement => questions.measurement(handle)!;
  const read = (): LadderRun => {
    const within = windowedLoss(of(windows), ladder.length);
    return {
      ladder,
      home,
      reference: reference && of(reference),
      facts: asked.map(({ facts }) => of(facts)),
      language: (scaling, rung) => {
        const what = `language at ${ladder[rung]!}x of ${nameOf(bench)}`;
        const cell = { kind: 'language', rungs: [rung] } as const;
        const words = clusters(of(asked[scaling]!.text), cell, 'loss');
        return minus(meanOf(words, what), meanOf(within[rung]!, what));
      },
    };
  };
  return { bench, questions, longest: Math.max(...sets.ladder.lengths), read };
}

/** @returns mean loss of the facts at a rung, in nats */
export function factLoss(facts: Measurement, rung: number, what: string): number {
  return meanOf(clusters(facts, { kind: 'fact', rungs: [rung] }, 'loss'), what).value;
}

/**
 * Runs passes, all those of one geometry in the same engine.
 *
 * @param onProgress receives the share that is done, 0 to 1
 */
export async function runPasses(
  passes: readonly Passes<unknown>[],
  onProgress: (share: number, label: string) => void = () => {},
): Promise<void> {
  const weight = ({ questions, longest }: Passes<unknown>): number =>
    weighted(questions.totalTokens, longest);
  const total = passes.reduce((sum, p) => sum + weight(p), 0);
  let before = 0;
  for (const subject of new Set(passes.map((p) => p.bench.subject))) {
    const mine = passes.filter((p) => p.bench.subject === subject);
    const { lanes, tokensPerRequest } = await subject.open(Math.max(...mine.map((p) => p.longest)));
    const respondent = { lanes, tokensPerRequest, score: subject.score.bind(subject) };
    try {
      for (const one of mine) {
        const all = Math.max(1, one.questions.totalTokens);
        await one.questions.answer(respondent, {
          onProgress: (label) =>
            onProgress(
              (before + (weight(one) * one.questions.tokens) / all) / total,
              `${nameOf(one.bench)}, ${label}`,
            ),
        });
        before += weight(one);
      }
    } finally {
      await subject.close();
    }
  }
}
