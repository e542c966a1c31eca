import { outOfRangeByRung } from '../../src/evaluation/variant.js';
import {
  accuracyByDistance,
  average,
  clusters,
  expectedReach,
  lastInRange,
  lastRung,
  lastWithinLoss,
} from '../../src/probes/measure.js';
import {
  type Bench,
  benchOf,
  type Passes,
  planLadder,
  planText,
  type ProbeOptions,
  scalingOf,
} from './bench.js';
import { formulaLoss, termsAt } from './formulas.js';
import { FULL } from './ladder.js';
import type { Geometry } from './types.js';

/** Reach of static NTK on one probe model, as window multiples. */
export interface NtkReach {
  readonly alpha: number;
  /** By language loss: the last length at which perplexity is not clearly above that at 1x. */
  readonly language: number;
  /** By facts, as in a report. */
  readonly facts: number;
}

/** The same, together with the published reach. */
export interface ReachRow {
  readonly alpha: number;
  /** By perplexity. */
  readonly published: number;
  /** By language loss, like the published one. */
  readonly probe: number;
  readonly facts: number;
  /** The expected reach from both and the exact angles, as in a report. */
  readonly expected: { readonly low: number; readonly high: number };
  readonly formula: number;
}

/** Peng et al. 2023 and the NTK-aware thread: static alpha on LLaMA 1, 2048 tokens. */
export const PUBLISHED = Object.freeze([
  { alpha: 2, published: 1.7 },
  { alpha: 4, published: 3.1 },
  { alpha: 8, published: 4.4 },
]);
export const LLAMA1: Geometry = Object.freeze({
  rotaryDim: 128,
  rotaryShare: 1,
  theta: 1e4,
  window: 2048,
});
const STEPS = Object.freeze([
  1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 10,
]);

/** Passes, with a function that reads the reaches from their results. */
export interface ReachPlan<T> {
  readonly passes: readonly Passes<unknown>[];
  read(): T[];
}

/** Plans static NTK with each alpha on one probe model, up to 1.5 x alpha. */
export function planNtk(bench: Bench, alphas: readonly number[]): ReachPlan<NtkReach> {
  const { theta, rotaryDim } = bench.geometry;
  const scalings = alphas.map((alpha) => ({
    spec: { type: 'ntk', theta, rotaryDim, alpha } as const,
    losses: STEPS.filter((m) => m <= 1.5 * alpha),
    answers: [],
  }));
  const home = planText(
    bench,
    scalings.map(({ spec }) => spec),
    1,
  );
  const ladder = planLadder(bench, scalings, STEPS, FULL);
  const read = (): NtkReach[] => {
    const atHome = home.read();
    const run = ladder.read();
    const atOnce = { kind: 'fact', rungs: [run.home] } as const;
    const base = average(clusters(run.reference!, atOnce, 'accuracy'));
    const contexts = run.reference!.contexts.map((_, i) => i);
    return alphas.map((alpha, i): NtkReach => {
      const { losses } = scalings[i]!;
      const rungs = losses.map((_, rung) => rung); // Both begin at 1.
      const bins = accuracyByDistance(run.facts[i]!, rungs);
      const language = rungs.map((rung) => (rung === 0 ? atHome[i]! : run.language(i, rung)).value);
      return {
        alpha,
        language: losses[lastWithinLoss(language)]!,
        facts: losses[lastRung(bins, base, contexts)] ?? 0,
      };
    });
  };
  return { passes: [home, ladder], read };
}

/** The reach of static NTK by the formula alone. */
function formulaReach(geometry: Geometry, alpha: number): number {
  const { theta, rotaryDim, window } = geometry;
  const spec = { type: 'ntk', theta, rotaryDim, alpha } as const;
  const losses = STEPS.map((m) => formulaLoss(termsAt(geometry, spec, Math.round(m * window))));
  return STEPS[lastWithinLoss(losses)]!;
}

/** The longest length at which static NTK stays within trained angles. */
function anglesReach(geometry: Geometry, alpha: number): number {
  const { theta, rotaryDim } = geometry;
  const scaling = scalingOf(geometry, { type: 'ntk', theta, rotaryDim, alpha });
  return STEPS[lastInRange(outOfRangeByRung(scaling, STEPS, 1))]!;
}

/** Plans the published reaches; undefined if no table is about that model. */
export async function planReach(
  geometries: readonly Geometry[],
  options: ProbeOptions,
): Promise<ReachPlan<ReachRow> | undefined> {
  const same = (g: Geometry): boolean => g.theta === LLAMA1.theta && g.window === LLAMA1.window;
  if (!geometries.some(same)) return undefined;
  const alphas = PUBLISHED.map(({ alpha }) => alpha);
  const { passes, read } = planNtk(await benchOf(LLAMA1, options), alphas);
  return {
    passes,
    read: () =>
      read().map(({ alpha, language, facts }, i) => ({
        alpha,
        published: PUBLISHED[i]!.published,
        probe: language,
        facts,
        expected: expectedReach({ facts, loss: language, angles: anglesReach(LLAMA1, alpha) }),
        formula: formulaReach(LLAMA1, alpha),
      })),
  };
}
