import type { ResolvedCandidate } from '../candidates/definition.js';
import type { Provisional } from '../options.js';
import { resamples } from '../probes/measure.js';
import { type PresetPlan, probeTokens } from '../probes/presets.js';
import type { Opened, Subject, Treatment } from '../subjects/subject.js';
import { PROBES } from './probes/registry.js';
import { QuestionList, type Respondent } from './questions.js';
import { recommend } from './recommendation.js';
import {
  type AskedVariant,
  atMultiple,
  ladderTreatments,
  type Run,
  type RunPlan,
  shortTreatments,
  type Variant,
} from './run.js';
import { AskedSeries, contextSets, divide, drawFurther, type Series } from './series.js';
import { scalingOf, type Setup } from './setup.js';
import { isOpen, type Measured, summariseReach } from './results.js';
import { DRAWS, judge, type Judged, ladderResults, referenceResults, tiesOf } from './variant.js';

/** Plans what a run asks about each scaling, and has it answered in stages. */

/** What decides the size of a run. */
export interface RunSettings {
  /** The ladder, as window multiples. */
  readonly multiples: readonly number[];
  readonly samples: PresetPlan;
  /** The most contexts of facts on the ladder that a variant gets. */
  readonly most: number;
}

/** Draws the contexts of a run and decides what to ask about every scaling. */
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
  const moreContexts = { texts, series: series.ladder, target: farthest, most, seed };
  return {
    ...run,
    most,
    reference: variants[0]!,
    variants,
    drawFurther: () => drawFurther(moreContexts),
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

export interface StageOptions {
  readonly signal?: AbortSignal | undefined;
  /** Receives the units of work that are done and expected in all, and the current question. */
  readonly onProgress?: (done: number, total: number, label: string) => void;
  /** Called before the first question with the units of work that are left. */
  readonly onStart?: (work: number) => void;
  readonly onProvisional?: ((found: Provisional) => void) | undefined;
  /** false: every candidate gets all contexts of the preset. */
  readonly stopsEarly: boolean;
}

const STAGES = ['quarter', 'half', 'whole'] as const;
/**
 * Asks the questions of a run in stages. Every variant gets a quarter and then half of the preset's
 * contexts. Candidates that are clearly out by then keep those; the others get the rest, and more
 * (up to `most`) while their verdict is open.
 *
 * What is asked depends only on answers, so that one seed gives one report.
 *
 * @returns false if the signal stopped the run
 */
export async function answerInStages(
  run: RunPlan,
  { lanes, tokensPerRequest }: Opened,
  options: StageOptions,
): Promise<boolean> {
  const { questions, subject } = run;
  const respondent = { lanes, tokensPerRequest, score: subject.score.bind(subject) };
  const clear = new Set<Variant>();
  const watch = new Watch(run, respondent, options);
  for (const stage of STAGES) {
    for (const variant of run.variants) {
      const share = clear.has(variant) ? 'half' : stage;
      askUpTo(coreSeries(variant), share);
      if (stage === 'whole')
        askUpTo(
          variant.probes.flatMap((probe) => probe.asked),
          share,
        );
    }
    if (!(await watch.answer(clear))) return false;
    if (stage === 'half' && options.stopsEarly) findClear(run).forEach((one) => clear.add(one));
  }
  while (askFurther(run)) if (!(await watch.answer(clear))) return false;
  return questions.complete;
}

/** The series that decide the verdict and the score of a variant. */
function coreSeries({ ladder, windows, short }: Variant): AskedSeries[] {
  return [
    ladder.facts,
    ladder.text,
    ...(windows ? [windows] : []),
    ...short.flatMap(({ facts, text }) => [facts, text]),
  ];
}

function portionsOf(variant: Variant): number {
  return coreSeries(variant).reduce((sum, one) => sum + one.portions, 0);
}

function askUpTo(all: readonly AskedSeries[], share: keyof Series['upTo']): void {
  for (const asked of all) asked.ask(asked.series.upTo[share]);
}

/** Fewer contexts of facts than this do not settle a verdict. */
const FEWEST = 6;

/**
 * Finds candidates that are clearly out: at least one rung of the ladder lies between the upper end
 * of their reach and the target. tools/coverage.ts simulates how often that is wrong.
 */
function findClear(run: RunPlan): Variant[] {
  if (run.setup.localOnly) return [];
  const reference = referenceResults(run);
  const { multiple: target } = run.setup.target;
  return run.variants.filter((variant) => {
    const { facts } = ladderResults(run, reference, variant.ladder);
    if (!variant.candidate || !facts || facts.measurement.contexts.length < FEWEST) return false;
    const { high } = summariseReach(facts);
    return run.multiples.some((m) => m > Math.max(high, 1 - Number.EPSILON) && m < target);
  });
}

/** Asks more contexts about variants whose verdict is open. @returns false if there are none */
function askFurther(run: RunPlan): boolean {
  if (run.setup.localOnly) return false;
  const reference = referenceResults(run);
  const open = run.variants.filter(({ ladder }) => {
    const { facts } = ladderResults(run, reference, ladder);
    return facts && isOpen(summariseReach(facts), run.setup.target.multiple);
  });
  if (open.length === 0 || !run.drawFurther()) return false;
  for (const { ladder } of open) ladder.facts.ask(ladder.facts.series.portions.length);
  return true;
}

/** Expected further work of a variant before its first answers, as a share of its usual work. */
const FURTHER_BEFORE = 0.3;

/**
 * Estimates how many contexts of facts a variant will get: as many as would settle its verdict if
 * further contexts had the same answers as those so far.
 */
function likelyContexts({ setup, most }: RunPlan, facts: Measured, usual: number): number {
  const isSettledBy = (count: number): boolean => {
    const { contexts, at } = facts.measurement;
    const repeated = <T>(list: readonly T[]): T[] =>
      Array.from({ length: count }, (_, i) => list[i % list.length]!);
    const measurement = {
      ...facts.measurement,
      contexts: repeated(contexts),
      at: at.map(repeated),
    };
    const draws = resamples(count, setup.seed, DRAWS.provisional);
    return !isOpen(summariseReach({ ...facts, measurement, draws }), setup.target.multiple);
  };
  let count = usual;
  while (count < most && !isSettledBy(count)) count = Math.min(2 * count, most);
  return count;
}

/** Has questions answered and reports the progress of a run. */
class Watch {
  readonly #rows = new Map<Variant, { readonly portions: number; readonly judged: Judged }>();

  #started = false;

  constructor(
    private readonly run: RunPlan,
    private readonly respondent: Respondent,
    private readonly options: StageOptions,
  ) {}

  async answer(clear: ReadonlySet<Variant>): Promise<boolean> {
    const { questions } = this.run;
    const { signal, onProgress, onProvisional } = this.options;
    const total = this.#expected(clear);
    if (!this.#started) this.options.onStart?.(total - questions.workDone);
    this.#started = true;
    return questions.answer(this.respondent, {
      signal,
      onProgress: (label) => onProgress?.(questions.workDone, total, label),
      ...(onProvisional ? { onAnswered: () => this.#tell(onProvisional) } : {}),
    });
  }

  /** The work that was asked, plus what will probably be asked. */
  #expected(clear: ReadonlySet<Variant>): number {
    const { questions, variants } = this.run;
    const asked = questions.workAsked;
    const rest = variants.reduce((sum, variant) => {
      const share = clear.has(variant) ? 'half' : 'whole';
      const all = [...coreSeries(variant), ...variant.probes.flatMap((probe) => probe.asked)];
      return sum + all.reduce((work, one) => work + one.workUpTo(share), 0);
    }, 0);
    return asked + rest + this.#further(clear);
  }

  /** The work of further contexts that variants will probably get beyond those of the preset. */
  #further(clear: ReadonlySet<Variant>): number {
    const { run } = this;
    if (run.setup.localOnly) return 0;
    const reference = referenceResults(run, DRAWS.provisional);
    const usual = run.sets.ladder.contexts.length;
    return run.variants.reduce((sum, variant) => {
      if (clear.has(variant)) return sum;
      const { ladder } = variant;
      const { portions, upTo } = ladder.facts.series;
      const whole = portions
        .slice(0, upTo.whole)
        .reduce((w, set) => w + ladder.facts.workOf(set), 0);
      const { facts } = ladderResults(run, reference, ladder);
      if (!facts) return sum + (run.most > usual ? FURTHER_BEFORE * whole : 0);
      const asked = portions.slice(0, ladder.facts.portions);
      const contexts = asked.reduce((count, set) => count + set.contexts.length, 0);
      const more =
        likelyContexts(run, facts, Math.max(usual, contexts)) - Math.max(usual, contexts);
      return sum + (more / usual) * whole;
    }, 0);
  }

  #tell(onProvisional: (found: Provisional) => void): void {
    const { run } = this;
    const grown = run.variants.filter(
      (variant) =>
        portionsOf(variant) !== this.#rows.get(variant)?.portions &&
        coreSeries(variant).every((one) => one.answered),
    );
    if (grown.length === 0) return;
    const reference = referenceResults(run, DRAWS.provisional);
    for (const variant of grown) {
      const judged = judge(run, reference, variant, []);
      this.#rows.set(variant, { portions: portionsOf(variant), judged });
    }
    const rows = run.variants.flatMap((variant) => this.#rows.get(variant)?.judged ?? []);
    if (rows[0]?.report.role !== 'reference') return;
    const candidates = rows.map(({ report }) => report);
    const recommendation = recommend(candidates, run.setup.target.multiple, tiesOf(rows));
    onProvisional({ candidates, recommendation });
  }
}
