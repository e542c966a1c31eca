import type { ResolvedCandidate } from '../candidates/definition.js';
import type { Finding } from '../findings/index.js';
import type { Cluster } from '../probes/measure.js';
import { type PresetPlan, SHORT_RUNGS } from '../probes/presets.js';
import type { CandidateReport } from '../report/schema/candidate.js';
import type { Scaling, Situation, Subject, Treatment } from '../subjects/subject.js';
import type { QuestionList } from './questions.js';
import type { AskedSeries, ContextSets, Series } from './series.js';
import type { Setup } from './setup.js';
import type { Comparison } from './results.js';

/** Everything that the questions to one subject share. */
export interface Run {
  readonly setup: Setup;
  readonly subject: Subject;
  /** The ladder, as window multiples. */
  readonly multiples: readonly number[];
  readonly samples: PresetPlan;
  readonly sets: ContextSets;
  /** The sets in portions. The facts on the ladder may get further portions. */
  readonly series: Readonly<Record<keyof ContextSets, Series>>;
  readonly questions: QuestionList;
}

/** Facts and text on the same rungs. */
export interface FactsAndText {
  readonly facts: AskedSeries;
  readonly text: AskedSeries;
}

/** One scaling under test, or the reference, with the questions about it. */
export interface Variant {
  readonly label: string;
  /** undefined: the variant is the reference. */
  readonly candidate: ResolvedCandidate | undefined;
  readonly scaling: Scaling;
  /** (groups of the subject) at 0.5x and 1x of the group's window. */
  readonly short: readonly FactsAndText[];
  readonly ladder: FactsAndText;
  /** Only for the reference: the ladder's text, with each rung cut to one window. */
  readonly windows: AskedSeries | undefined;
  readonly probes: readonly PlannedProbe[];
}

/** Every variant of a run, the reference first. */
export interface RunPlan extends Run {
  readonly reference: Variant;
  readonly variants: readonly Variant[];
  /** The most contexts of facts on the ladder that a variant gets. */
  readonly most: number;
  /** Draws further facts on the ladder; false if the variants already have the most they get. */
  drawFurther(): boolean;
}

/** A variant before the probes of the registry are planned. */
export type AskedVariant = Omit<Variant, 'probes'>;

/** The reference's results on each set, which every change is measured against. */
export interface ReferenceResults {
  readonly short: Partial<Record<keyof FactsAndText, Comparison>>;
  readonly ladder: Partial<Record<keyof FactsAndText, Comparison>>;
  /** (rungs, contexts) the reference's loss within one window. */
  readonly windowed?: readonly (readonly Cluster[])[];
}

/** What is asked besides the short and the long contexts (CONTRIBUTING.md, "How to add"). */
export interface Probe {
  readonly name: string;
  /**
   * Draws what all variants share.
   *
   * @returns a function that plans the questions about one variant; undefined if the run does not
   *   use the probe
   */
  prepare(run: Run): ((variant: AskedVariant) => PlannedProbe) | undefined;
  /** Reports what users should know about the result of a variant. */
  findings?(row: CandidateReport, variant: Pick<Variant, 'candidate'>): readonly Finding[];
}

export interface PlannedProbe {
  readonly asked: readonly AskedSeries[];
  /** The probe's part of the row; empty if it has none or was not answered completely. */
  report(run: RunPlan, reference: ReferenceResults): Partial<CandidateReport>;
}

/** The situation in a context of a multiple of the trained window. */
export function atMultiple(scaling: Scaling, group: number, multiple: number): Situation {
  const { window } = scaling.groups[group]!.trained;
  return { group, tokens: Math.round(multiple * window) };
}

/** (rungs) treatments by a scaling on the ladder, for the group that decides. */
export function ladderTreatments(
  { setup, subject, multiples }: Run,
  scaling: Scaling,
): readonly Treatment[] {
  return multiples.map((m) => subject.treat(scaling, atMultiple(scaling, setup.decisive, m)));
}

/** (short rungs) treatments by a scaling inside the window of a group. */
export function shortTreatments(
  { setup, subject }: Run,
  scaling: Scaling,
  group: number,
): readonly Treatment[] {
  // A local layer sees no farther in a long context, but it uses the table of that context.
  const local = { group, tokens: setup.target.tokens, windows: 1 };
  return SHORT_RUNGS.map((m) =>
    subject.treat(scaling, setup.groups[group]!.local ? local : atMultiple(scaling, group, m)),
  );
}
