import { type Context, squeezed, stretched } from '../../probes/contexts.js';
import { resamples } from '../../probes/measure.js';
import { probeTokens } from '../../probes/presets.js';
import type { LossParts } from '../../report/probe-parts/decomposition.js';
import type { Interval } from '../../report/schema/values.js';
import type { AskedVariant, Probe, ReferenceResults, Run, RunPlan } from '../run.js';
import { AskedSeries, divide, drawContexts, type Series, STREAM } from '../series.js';
import { factLossAgainst, factsAtHome, type Home, type Measured } from '../results.js';
import { ladderResults } from '../variant.js';

const QUESTIONS = 6;

/**
 * Separates the loss of facts at the target into the share of RoPE and that of dilution. It asks
 * about the target's distances in one window of tokens, and the target's tokens in one window of
 * distances.
 */
export const decomposition: Probe = {
  name: 'decomposition',
  prepare(run) {
    const { setup, subject, questions, samples } = run;
    if (samples.apart === 0 || !subject.takes.positions) return undefined;
    const sets = decompositionSets(run);
    return (variant) => {
      const { label, scaling } = variant;
      const group = setup.decisive;
      const tokens = Math.round(setup.target.multiple * setup.groups[group]!.window);
      const ask = (series: Series, windows?: number): AskedSeries => {
        const at = { group, tokens, ...(windows ? { windows } : {}) };
        return new AskedSeries(questions, series, [subject.treat(scaling, at)], label);
      };
      const asked = { rope: ask(sets.stretched), dilution: ask(sets.squeezed, 1) };
      return {
        asked: Object.values(asked),
        report: (plan, reference) => ({ parts: partsOf(plan, reference, variant, asked) }),
      };
    };
  },
};

interface DecompositionSets {
  /** One window of tokens at the target's distances. */
  readonly stretched: Series;
  /** The target's tokens in one window of distances. */
  readonly squeezed: Series;
}

function decompositionSets({ setup, subject, samples }: Run): DecompositionSets {
  const { window, texts } = subject;
  const multiple = setup.localOnly ? 1 : setup.target.multiple;
  const targetTokens = probeTokens(multiple, window);
  const draw = { seed: setup.seed, stream: STREAM.decomposition, count: samples.apart };
  const facts = (tokens: number, reshape: (context: Context) => Context): Context[] =>
    drawContexts(draw, (seed, index) => {
      const plan = { rungs: [tokens], questionsPerRung: QUESTIONS, copies: false };
      return reshape(texts.facts(plan, seed, index));
    });
  return {
    stretched: divide({
      name: 'stretched',
      lengths: [window],
      contexts: facts(window, (context) => stretched(context, multiple)),
    }),
    squeezed: divide({
      name: 'squeezed',
      lengths: [targetTokens],
      contexts: facts(targetTokens, (context) => squeezed(context, window)),
    }),
  };
}

function partsOf(
  run: RunPlan,
  reference: ReferenceResults,
  variant: AskedVariant,
  asked: Readonly<Record<'rope' | 'dilution', AskedSeries>>,
): LossParts | null {
  const { setup } = run;
  const { facts } = ladderResults(run, reference, variant.ladder);
  if (!facts) return null;
  const count = facts.draws.length;
  const rung = facts.rungs.findIndex((r) => r.multiple === setup.target.multiple);
  if (rung < 0 || setup.target.multiple <= 1) return null;
  const atHome = factsAtHome(facts, 'loss');
  const home: Home = { facts: atHome, draws: resamples(atHome.length, setup.seed, count) };
  const part = (of: AskedSeries): Interval | undefined => {
    const measurement = of.measurement();
    if (!measurement) return undefined;
    // These contexts are not those of the home rung, so they need their own resamples, even if
    // there are equally many.
    const draws = resamples(measurement.contexts.length, setup.seed + 1, count);
    const measured: Measured = { ...facts, draws, measurement };
    return factLossAgainst(measured, 0, home);
  };
  const [rope, dilution] = [part(asked.rope), part(asked.dilution)];
  return rope && dilution ? { total: factLossAgainst(facts, rung, home), rope, dilution } : null;
}
