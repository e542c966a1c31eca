import type { ResolvedCandidate } from '../candidates/definition.js';
import type { Finding } from '../findings/index.js';
import type { Cluster } from '../probes/measure.js';
import { type PresetPlan, SHORT_RUNGS } from '../probes/presets.js';
import type { CandidateReport } from '../report/schema/candidate.js';
import type { Scaling, Situation, Subject, Treatment } from '../subjects/subject.js';
import type { ContextSets } from './context-sets.js';
import type { QuestionList } from './questions.js';
import type { AskedSeries, Series } from './series.js';
import type { Setup } from './setup.js';
import type { Comparison } from './summary.js';

/** All that is asked of one subject: what everything in a run shares. */
export interface Run {
  readonly setup: Setup;
  readonly subject: Subject;
  /** The ladder, as window multiples. */
  readonly multiples: readonly number[];
  readonly samples: PresetPlan;
  readonly sets: ContextSets;
  /** The sets, in portions; those of the ladder's facts may become more. */
  readonly series: Readonly<Record<keyof ContextSets, Series>>;
  readonly questions: QuestionList;
}

/** Facts and text on the same rungs. */
export interface FactsAndText {
  readonly facts: AskedSeries;
  readonly text: AskedSeries;
}

/** One scaling under test, or the reference, and what it is asked. */
export interface Variant {
  readonly label: string;
  /** undefined: the reference itself */
  readonly candidate: ResolvedCandidate | undefined;
  readonly scaling: Scaling;
  /** (groups of the subject) at 0.5x and 1x of the group's window */
  readonly short: readonly FactsAndText[];
  readonly ladder: FactsAndText;
  /** The reference only: the ladder's text, each rung within one window. */
  readonly windows: AskedSeries | undefined;
  readonly probes: readonly PlannedProbe[];
}

/** Every variant of a run, the reference first. */
export interface RunPlan extends Run {
  readonly reference: Variant;
  readonly variants: readonly Variant[];
  /** Contexts of facts on the ladder that a variant gets at most. */
  readonly most: number;
  /** Draws further facts on the ladder; false: a variant has had the most that it gets. */
  drawFurther(): boolean;
}

/** A variant before the probes of the registry are planned. */
export type AskedVariant = Omit<Variant, 'probes'>;

/** What the reference made of each set, which every change is measured against. */
export interface ReferenceResults {
  readonly short: Partial<Record<keyof FactsAndText, Comparison>>;
  readonly ladder: Partial<Record<keyof FactsAndText, Comparison>>;
  /** (rungs, contexts) its loss within one window */
  readonly windowed?: readonly (readonly Cluster[])[];
}

/**
 * Something that variants are asked beside the short and the long lengths. A new one is a file, a
 * line in the registry, and its section of the report.
 */
export interface Probe {
  readonly name: string;
  /**
   * Draws what all variants share.
   *
   * @returns what asks about one variant; undefined where a run has no use for the probe
   */
  prepare(run: Run): ((variant: AskedVariant) => PlannedProbe) | undefined;
  /**
   * What of it a person should know.
   *
   * @param configured the variant is what the config says
   */
  findings?(row: CandidateReport, configured: boolean): readonly Finding[];
}

export interface PlannedProbe {
  /** What it asks. */
  readonly asked: readonly AskedSeries[];
  /** Its part of the row; empty where it has none, or was not answered to the end. */
  report(run: RunPlan, reference: ReferenceResults): Partial<CandidateReport>;
}

/** A context of a window multiple. */
export function atMultiple(scaling: Scaling, group: number, multiple: number): Situation {
  const { window } = scaling.groups[group]!.trained;
  return { group, tokens: Math.round(multiple * window) };
}

/** (rungs) a scaling on the ladder, on the group that decides. */
export function ladderTreatments(
  { setup, subject, multiples }: Run,
  scaling: Scaling,
): readonly Treatment[] {
  return multiples.map((m) => subject.treat(scaling, atMultiple(scaling, setup.decisive, m)));
}

/** (short rungs) a scaling inside of the window of a group. */
export function shortTreatments(
  { setup, subject }: Run,
  scaling: Scaling,
  group: number,
): readonly Treatment[] {
  // A local layer sees no farther in a long context, but has that context's table there.
  const local = { group, tokens: setup.target.tokens, windows: 1 };
  return SHORT_RUNGS.map((m) =>
    subject.treat(scaling, setup.groups[group]!.local ? local : atMultiple(scaling, group, m)),
  );
}
