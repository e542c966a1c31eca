import type { ResolvedCandidate } from '../candidates/definition.js';
import { probeTokens, type PresetPlan } from '../probes/presets.js';
import type { Subject, Treatment } from '../subjects/subject.js';
import { contextSets, drawFurther } from './context-sets.js';
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
import { AskedSeries, divide } from './series.js';
import { scalingOf, type Setup } from './setup.js';

/** What decides about the size of a run. */
export interface RunSettings {
  /** The ladder, as window multiples. */
  readonly multiples: readonly number[];
  readonly samples: PresetPlan;
  /** Contexts of facts on the ladder that a variant gets at most. */
  readonly most: number;
}

/** Draws the contexts and decides what every scaling can be asked; nothing is asked yet. */
export function planRun(setup: Setup, subject: Subject, settings: RunSettings): RunPlan {
  const { multiples, samples, most } = settings;
  const { seed, target } = setup;
  const { window, texts, textSpan } = subject;
  const sets = contextSets({ texts, window, textSpan, multiples, samples, seed });
  const series = {
    short: divide(sets.short),
    shortText: divide(sets.shortText),
    ladder: divide(sets.ladder),
    ladderText: divide(sets.ladderText),
    windows: divide(sets.windows, multiples.length),
  };
  const questions = new QuestionList(subject);
  const run: Run = { setup, subject, multiples, samples, sets, series, questions };
  const probes = PROBES.flatMap((probe) => probe.prepare(run) ?? []);
  const variants = [undefined, ...setup.candidates].map((candidate) => {
    const variant = planVariant(run, candidate);
    return { ...variant, probes: probes.map((plan) => plan(variant)) };
  });
  const farthest = probeTokens(target.multiple, window);
  const further = { texts, series: series.ladder, target: farthest, most, seed };
  return {
    ...run,
    most,
    reference: variants[0]!,
    variants,
    drawFurther: () => drawFurther(further),
  };
}

function planVariant(run: Run, candidate: ResolvedCandidate | undefined): AskedVariant {
  const { setup, subject, series, questions } = run;
  const scaling = scalingOf(setup, candidate);
  const { label } = scaling;
  const ladder = ladderTreatments(run, scaling);
  const home = subject.treat(scaling, atMultiple(scaling, setup.decisive, 1));
  const asked = (name: keyof typeof series, treatments: readonly Treatment[]): AskedSeries =>
    new AskedSeries(questions, series[name], treatments, label);
  return {
    label,
    candidate,
    scaling,
    ladder: { facts: asked('ladder', ladder), text: asked('ladderText', ladder) },
    windows: candidate ? undefined : asked('windows', [home]),
    short: subject.groups.map(({ group }) => {
      const treatments = shortTreatments(run, scaling, group);
      return { facts: asked('short', treatments), text: asked('shortText', treatments) };
    }),
  };
}
