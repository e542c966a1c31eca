import type { ResolvedCandidate } from '../candidates/definition.js';
import { probeTokens, type PresetPlan } from '../probes/presets.js';
import type { Subject } from '../subjects/subject.js';
import { contextSets, FurtherContexts } from './context-sets.js';
import { PROBES } from './probes/registry.js';
import { QuestionList } from './questions.js';
import {
  atMultiple,
  ladderTreatments,
  shortTreatments,
  type AskedVariant,
  type Run,
  type RunPlan,
} from './run.js';
import { scalingOf, type Setup } from './setup.js';

/** What decides about the size of a run. */
export interface RunSettings {
  /** The ladder, as window multiples. */
  readonly multiples: readonly number[];
  readonly samples: PresetPlan;
  /** Contexts of facts on the ladder that a variant gets at most. */
  readonly most: number;
}

/** Draws the contexts and asks about every scaling on them. */
export function planRun(setup: Setup, subject: Subject, settings: RunSettings): RunPlan {
  const { multiples, samples, most } = settings;
  const { seed, target } = setup;
  const { window, texts, textSpan } = subject;
  const sets = contextSets({ texts, window, textSpan, multiples, samples, seed });
  const run: Run = {
    setup,
    subject,
    multiples,
    samples,
    sets,
    further: new FurtherContexts({
      texts,
      own: sets.ladder,
      target: probeTokens(target.multiple, window),
      most,
      seed,
    }),
    questions: new QuestionList(subject.lossScale),
  };
  const probes = PROBES.flatMap((probe) => probe.prepare(run) ?? []);
  const variants = [undefined, ...setup.candidates].map((candidate) => {
    const variant = planVariant(run, candidate);
    return { ...variant, probes: probes.map((plan) => plan(variant)) };
  });
  return { ...run, reference: variants[0]!, variants };
}

function planVariant(run: Run, candidate: ResolvedCandidate | undefined): AskedVariant {
  const { setup, subject, sets, questions } = run;
  const scaling = scalingOf(setup, candidate);
  const { label } = scaling;
  const ladder = ladderTreatments(run, scaling);
  const home = subject.treat(scaling, atMultiple(scaling, setup.decisive, 1));
  return {
    label,
    candidate,
    scaling,
    ladder: {
      facts: questions.ask(sets.ladder, ladder, label),
      text: questions.ask(sets.ladderText, ladder, label),
    },
    windows: candidate ? undefined : questions.ask(sets.windows, [home], label),
    short: subject.groups.map(({ group }) => {
      const treatments = shortTreatments(run, scaling, group);
      return {
        facts: questions.ask(sets.short, treatments, label),
        text: questions.ask(sets.shortText, treatments, label),
      };
    }),
  };
}
