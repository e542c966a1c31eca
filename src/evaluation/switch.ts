import { type ProbeGeometry, type ProbeTable, withHeldOf } from '../geometry/transfer.js';
import { writeFacts, writeText } from '../probes/contexts.js';
import type { Language } from '../probes/language.js';
import { clusters, type Measurement } from '../probes/measure.js';
import { meanInterval, pairedDifference, resamples, wilson } from '../probes/statistics.js';
import type { Reading, Switch } from '../report/schema/candidate.js';
import { switchLength } from '../rope/registry.js';
import type { Plan } from './candidate.js';
import { drawContexts, STREAM } from './context-sets.js';
import type { ContextSet, JobList } from './jobs.js';
import { cachedTables, type GroupScaling, probeTable, type Rotation } from './tables.js';

/** Switches that the probe's contexts can straddle, as window multiples. */
const SHORTEST = 0.25;
const LONGEST = 4;
/** Room for two questions of different facts between two lengths, in probe tokens. */
const STEP = 32;
const QUESTIONS = 2;

export interface SwitchPlan {
  /** User's tokens up to which the short table is used. */
  readonly tokens: number;
  /** (below, at, above) user's tokens */
  readonly lengths: readonly number[];
  readonly facts: ContextSet;
  readonly text: ContextSet;
  /** (below, at, above) the table up to the switch, the one beyond it, and both in one cache. */
  readonly short: readonly ProbeTable[];
  readonly long: readonly ProbeTable[];
  readonly cached: readonly Rotation[];
  readonly seed: number;
}

export interface SwitchContexts {
  readonly language: Language;
  readonly seed: number;
  /** Contexts of facts; text gets half as many. */
  readonly count: number;
}

/**
 * A table that jumps at a length, read just below, at and just above it.
 *
 * Up to the switch the weights know the short table, and the probe knows its own: where the scaling
 * was trained in, the probe's window stands for the lengths up to the switch. Laid over other
 * weights, it stands for their window, as everywhere.
 *
 * @returns undefined for tables that do not jump, or where the probe's contexts do not reach
 */
export function planSwitch(
  plan: Plan,
  main: number,
  probe: ProbeGeometry,
  contexts: SwitchContexts,
): SwitchPlan | undefined {
  const own = plan.scalings[main]!;
  const tokens = switchLength(own.candidate);
  if (tokens === undefined) return undefined;
  const scaling: GroupScaling = { ...own, window: switchLength(own.reference) ?? own.window };
  const multiple = tokens / scaling.window;
  if (multiple < SHORTEST || multiple > LONGEST) return undefined;
  const at = Math.round(multiple * probe.window);
  const rungs = [at - STEP, at, at + STEP];
  const lengths = rungs.map((length) => Math.round((length / at) * tokens));
  const tables = (length: number) =>
    lengths.map((span) => probeTable(probe, scaling, length, span));
  const [short, long] = [tables(tokens), tables(tokens + 1)];
  const before = withHeldOf(probe, short[2]!, long[2]!);
  const cached = cachedTables(
    Array.from({ length: at + STEP }, (_, t) => (t < at ? before : long[2]!)),
  );
  const { language, seed, count } = contexts;
  return {
    tokens,
    lengths,
    facts: {
      name: `switch ${at}`,
      lengths: rungs,
      contexts: drawContexts(seed, STREAM.switchFacts, count, (s, i) =>
        writeFacts({ language, rungs, questionsPerRung: QUESTIONS, copies: false }, s, i),
      ),
    },
    text: {
      name: `switch-text ${at}`,
      lengths: rungs,
      contexts: drawContexts(seed, STREAM.switchText, Math.ceil(count / 2), (s, i) =>
        writeText({ language, rungs, span: STEP }, s, i),
      ),
    },
    short,
    long,
    cached: rungs.map(() => cached),
    seed,
  };
}

export function addSwitch(plan: SwitchPlan, jobs: JobList, label: string): void {
  const name = `${label} at its switch`;
  for (const rotation of [plan.short, plan.long, plan.cached]) {
    jobs.add(plan.facts, rotation, name);
    jobs.add(plan.text, rotation, name);
  }
}

/** One rotation at one length. */
interface Cell {
  readonly facts: Measurement;
  readonly text: Measurement;
  readonly rung: number;
}

/** @returns undefined where it was not run to the end */
export function reportSwitch(plan: SwitchPlan, jobs: JobList): Switch | undefined {
  const [short, long, cached] = [plan.short, plan.long, plan.cached].map((rotation) => {
    const facts = jobs.measurement(plan.facts, rotation);
    const text = jobs.measurement(plan.text, rotation);
    return facts && text && { facts, text };
  });
  if (!short || !long || !cached) return undefined;
  const factsDraws = resamples(plan.facts.contexts.length, plan.seed);
  const textDraws = resamples(plan.text.contexts.length, plan.seed);
  const facts = ({ facts, rung }: Cell) =>
    clusters(facts, { kind: 'fact', rungs: [rung] }, 'accuracy');
  const words = ({ text, rung }: Cell) =>
    clusters(text, { kind: 'language', rungs: [rung] }, 'loss');
  const reading = (cell: Cell): Reading => ({
    accuracy: wilson(facts(cell)),
    languageLoss: meanInterval(words(cell), textDraws),
  });
  const change = (a: Cell, b: Cell): Reading => ({
    accuracy: pairedDifference(facts(a), facts(b), factsDraws, 1),
    languageLoss: pairedDifference(words(a), words(b), textDraws),
  });
  const at = (rung: number) => ({
    tokens: plan.lengths[rung]!,
    short: reading({ ...short, rung }),
    long: reading({ ...long, rung }),
  });
  const below: Cell = { ...short, rung: 0 };
  const above: Cell = { ...long, rung: 2 };
  const stale: Cell = { ...cached, rung: 2 };
  return {
    tokens: plan.tokens,
    below: at(0),
    at: at(1),
    above: { ...at(2), cached: reading(stale) },
    recomputed: change(above, below),
    cached: change(stale, below),
    stale: change(stale, above),
  };
}
