import { finding, type Finding } from '../../findings/index.js';
import {
  clusters,
  meanInterval,
  type Measurement,
  pairedDifference,
  resamples,
  wilson,
} from '../../probes/measure.js';
import type { Reading, Switch } from '../../report/probe-parts/serving.js';
import type { CandidateReport } from '../../report/schema/candidate.js';
import { switchLength } from '../../rope/registry.js';
import type { Scaling, Situation } from '../../subjects/subject.js';
import type { FactsAndText, Probe, Run, RunPlan } from '../run.js';
import { AskedSeries, divide, drawContexts, type Series, STREAM } from '../series.js';
import { matters } from '../results.js';

/** Bounds of the switches that contexts can straddle, as window multiples. */
const SHORTEST = 0.25;
const LONGEST = 4;
/** Tokens of the subject between two lengths, with room for two questions on different facts. */
const STEP = 32;
const QUESTIONS = 2;
/** A switch has few questions in each context, and only longrope needs these extra contexts. */
const CONTEXTS = 4;

/** Asks about a table that changes at one length: just below it, at it and just above it. */
export const tableSwitch: Probe = {
  name: 'switch',
  prepare(run) {
    if (run.samples.apart === 0 || run.subject.takes.cachedKeys === 'no') return undefined;
    const sets = new Map<number, SwitchSets>();
    return ({ label, scaling }) => {
      const place = placeOf(run, scaling);
      if (!place) return { asked: [], report: () => ({}) };
      const shared = sets.get(place.at) ?? switchSets(run, place.at);
      sets.set(place.at, shared);
      const asked = askSwitch(run, scaling, place, shared, `${label} at its switch`);
      return {
        asked: Object.values(asked).flatMap(({ facts, text }) => [facts, text]),
        report(plan) {
          const found = reportSwitch(plan, place, asked);
          return found ? { switch: found } : {};
        },
      };
    };
  },
  findings: switchFindings,
};

/** The length at which a table changes. */
interface SwitchPlace {
  /** User's tokens up to which the short table is used. */
  readonly tokens: number;
  /** (below, at, above) in user's tokens. */
  readonly lengths: readonly number[];
  /** Tokens of the subject that represent the switch. */
  readonly at: number;
  /** User's tokens that 1x represents. */
  readonly window: number;
}

/**
 * Finds where a table switches. If the weights were trained with this scaling, they know the short
 * table up to the switch, so the subject's window represents the lengths up to the switch.
 * Otherwise it represents the weights' window, as elsewhere.
 *
 * @returns undefined if the table does not switch, or if the contexts cannot straddle the switch
 */
function placeOf({ setup, subject }: Run, scaling: Scaling): SwitchPlace | undefined {
  const { spec, trained } = scaling.groups[setup.decisive]!;
  const tokens = switchLength(spec);
  if (tokens === undefined) return undefined;
  const window = switchLength(trained.reference) ?? trained.window;
  const multiple = tokens / window;
  if (multiple < SHORTEST || multiple > LONGEST) return undefined;
  const at = Math.round(multiple * subject.window);
  const lengths = rungsAt(at).map((length) => Math.round((length / at) * tokens));
  return { tokens, lengths, at, window };
}

const rungsAt = (at: number): number[] => [at - STEP, at, at + STEP];

interface SwitchSets {
  readonly facts: Series;
  readonly text: Series;
}

function switchSets({ setup, subject, samples }: Run, at: number): SwitchSets {
  const { texts } = subject;
  const { seed } = setup;
  const rungs = rungsAt(at);
  const count = CONTEXTS * samples.apart;
  return {
    facts: divide({
      name: `switch ${at}`,
      lengths: rungs,
      contexts: drawContexts({ seed, stream: STREAM.switchFacts, count }, (s, i) =>
        texts.facts({ rungs, questionsPerRung: QUESTIONS, copies: false }, s, i),
      ),
    }),
    text: divide({
      name: `switch-text ${at}`,
      lengths: rungs,
      contexts: drawContexts(
        { seed, stream: STREAM.switchText, count: Math.ceil(count / 2) },
        (s, i) => texts.text({ rungs, span: STEP }, s, i),
      ),
    }),
  };
}

/** Questions with the table up to the switch, the one beyond it, and both in one cache. */
type AskedSwitch = Readonly<Record<'short' | 'long' | 'cached', FactsAndText>>;

function askSwitch(
  { setup, subject, questions }: Run,
  scaling: Scaling,
  { tokens, lengths, at, window }: SwitchPlace,
  sets: SwitchSets,
  label: string,
): AskedSwitch {
  const group = setup.decisive;
  /** (below, at, above) */
  const everywhere = (
    tokens: number,
    writtenAt?: NonNullable<Situation['writtenAt']>,
    lengthsUsed = lengths,
  ): FactsAndText => {
    const treatments = lengthsUsed.map((length) =>
      subject.treat(scaling, {
        group,
        tokens,
        window,
        windows: length / window,
        ...(writtenAt ? { writtenAt } : {}),
      }),
    );
    return {
      facts: new AskedSeries(questions, sets.facts, treatments, label),
      text: new AskedSeries(questions, sets.text, treatments, label),
    };
  };
  const longest = lengths.at(-1)!;
  const writtenAt = {
    indices: at + STEP,
    tokens: (index: number) => (index < at ? tokens : tokens + 1),
  };
  return {
    short: everywhere(tokens),
    long: everywhere(tokens + 1),
    cached: everywhere(tokens + 1, writtenAt, [longest, longest, longest]),
  };
}

interface TableAtLength {
  readonly facts: Measurement;
  readonly text: Measurement;
  readonly rung: number;
}

/** @returns undefined if it was not answered completely */
function reportSwitch(
  { setup }: RunPlan,
  { tokens, lengths }: SwitchPlace,
  asked: AskedSwitch,
): Switch | undefined {
  const [short, long, cached] = [asked.short, asked.long, asked.cached].map((each) => {
    const [facts, text] = [each.facts.measurement(), each.text.measurement()];
    return facts && text && { facts, text };
  });
  if (!short || !long || !cached) return undefined;
  // The three are asked together, but a run may have stopped among them, so pairs use the contexts
  // that all three have.
  const shared = (name: 'facts' | 'text'): number =>
    Math.min(...[short, long, cached].map((each) => each[name].contexts.length));
  const factsDraws = resamples(shared('facts'), setup.seed);
  const textDraws = resamples(shared('text'), setup.seed);
  const facts = ({ facts, rung }: TableAtLength) =>
    clusters(facts, { kind: 'fact', rungs: [rung] }, 'accuracy');
  const words = ({ text, rung }: TableAtLength) =>
    clusters(text, { kind: 'language', rungs: [rung] }, 'loss');
  const reading = (cell: TableAtLength): Reading => ({
    accuracy: wilson(facts(cell)),
    languageLoss: meanInterval(words(cell), textDraws),
  });
  const change = (a: TableAtLength, b: TableAtLength): Reading => ({
    accuracy: pairedDifference(facts(a), facts(b), factsDraws, 1),
    languageLoss: pairedDifference(words(a), words(b), textDraws),
  });
  const at = (rung: number) => ({
    tokens: lengths[rung]!,
    short: reading({ ...short, rung }),
    long: reading({ ...long, rung }),
  });
  const below: TableAtLength = { ...short, rung: 0 };
  const above: TableAtLength = { ...long, rung: 2 };
  const stale: TableAtLength = { ...cached, rung: 2 };
  return {
    tokens,
    below: at(0),
    at: at(1),
    above: { ...at(2), cached: reading(stale) },
    recomputed: change(above, below),
    cached: change(stale, below),
    stale: change(stale, above),
  };
}

function switchFindings({ label, switch: found }: CandidateReport): Finding[] {
  if (!found) return [];
  const { accuracy, languageLoss } = found.stale;
  if (!matters(accuracy, 'accuracy') && !matters(languageLoss, 'loss')) return [];
  return [
    finding('stale_cache_at_switch', '', {
      candidate: label,
      tokens: found.tokens,
      accuracy: accuracy.value,
      loss: languageLoss.value,
    }),
  ];
}
