import type { ResolvedCandidate } from '../candidates/definition.js';
import type { ProbeGeometry, ProbeTable } from '../geometry/transfer.js';
import { trainedWindowOf } from '../model/reference.js';
import { ladder, SHORT_RUNGS } from '../probes/presets.js';
import { type Cluster, resamples } from '../probes/statistics.js';
import type { CandidateReport, Interval, Parts } from '../report/schema/report.js';
import type { FurtherContexts, Sets } from './context-sets.js';
import type { ContextSet, JobList } from './jobs.js';
import { verdict } from './recommendation.js';
import type { Setup } from './setup.js';
import {
  type Comparison,
  factLossAgainst,
  homeFacts,
  type Measured,
  score,
  type Score,
  summariseNeedle,
  summariseReach,
  summariseShort,
  type TextMeasured,
  windowedLoss,
} from './summary.js';
import {
  describeGroup,
  type GroupScaling,
  outOfRangeByRung,
  probeTable,
  type Rotation,
  tablesByRung,
} from './tables.js';

export type SetName = 'short' | 'shortText' | 'long' | 'longText';

/** The reference's results, per set; undefined where they were not run to the end. */
export interface Against extends Partial<Record<SetName, Comparison>> {
  readonly windowed?: readonly (readonly Cluster[])[];
}

export function comparisons(
  jobs: JobList,
  sets: Sets,
  further: FurtherContexts,
  reference: Plan,
  setup: Setup,
  multiples: readonly number[],
  seed: number,
): Against {
  const { window } = reference.scalings[setup.main]!;
  const make = (set: ContextSet, tables: readonly ProbeTable[], rungs: readonly number[]) => {
    const measurement = jobs.measurement(set, tables);
    return (
      measurement && {
        set,
        rungs: rungs.map((m) => ({ multiple: m, tokens: Math.round(m * window) })),
        home: Math.max(0, rungs.indexOf(1)),
        draws: resamples(set.contexts.length, seed),
        reference: measurement,
      }
    );
  };
  const short = reference.short[setup.main]!;
  const long = make(sets.long, reference.long, multiples);
  const entries = {
    short: make(sets.short, short, SHORT_RUNGS),
    shortText: make(sets.shortText, short, SHORT_RUNGS),
    long: long && { ...long, reference: further.measurement(long.reference, jobs, reference.long) },
    longText: make(sets.longText, reference.long, multiples),
  };
  const windows = jobs.measurement(sets.windows, [short[1]!]);
  const windowed = windows && windowedLoss(windows, multiples.length);
  const found = Object.entries({ ...entries, windowed }).filter(([, c]) => c !== undefined);
  return Object.fromEntries(found) as Against;
}

/** What tables, one per rung, made of a set; undefined where they or the reference were not run. */
export function measuredOn(
  against: Against,
  jobs: JobList,
  sets: Sets,
  name: SetName,
  tables: readonly Rotation[],
): Measured | undefined {
  const comparison = against[name];
  const measurement = jobs.measurement(sets[name], tables);
  return comparison && measurement && { ...comparison, measurement };
}

/** Adds the reference's loss within its window, which the text on the ladder is measured against. */
export function withWindows(
  text: Measured | undefined,
  { windowed }: Against,
): TextMeasured | undefined {
  return text && windowed && { ...text, windowed };
}

/** What one scaling needs to have run. */
export interface Plan {
  readonly label: string;
  readonly candidate: ResolvedCandidate | undefined;
  readonly scalings: readonly GroupScaling[];
  /** (groups) tables at 0.5x and 1x of the group's window. */
  readonly short: readonly (readonly ProbeTable[])[];
  /** Tables of the main group on the ladder. */
  readonly long: readonly ProbeTable[];
  /** (ladder) nats that the main group's angles add to the score. */
  readonly outOfRange: readonly number[];
  /** Its tables at the target, for the target's distances and for those of one window. */
  readonly apart: Record<'stretched' | 'squeezed', ProbeTable>;
  addTo(jobs: JobList, sets: Sets): void;
}

/** Whether a group of layers looks back over a window only, beside others that do not. */
const isLocal = ({ model, main }: Setup, group: number): boolean =>
  group !== main && model.groups[group]!.span.kind !== 'global';

const REFERENCE_LABEL = 'reference';

/** @param candidate undefined: the reference itself */
export function planCandidate(
  setup: Setup,
  probe: ProbeGeometry,
  multiples: readonly number[],
  candidate: ResolvedCandidate | undefined,
): Plan {
  const scalings = setup.model.groups.map((group, g): GroupScaling => {
    const reference = setup.referenceSpecs[g]!;
    return {
      reference,
      candidate: candidate?.specs[g] ?? reference,
      window: trainedWindowOf(group, setup.reference),
      softmaxScaleRatio: candidate?.softmaxScaleRatio ?? 1,
    };
  });
  const short = scalings.map((s, g) =>
    // A local layer sees no farther in a long context, but has that context's table there.
    isLocal(setup, g)
      ? SHORT_RUNGS.map(() => probeTable(probe, s, setup.target.tokens, s.window))
      : tablesByRung(probe, s, SHORT_RUNGS),
  );
  const main = scalings[setup.main]!;
  const long = tablesByRung(probe, main, multiples);
  const atTarget = Math.round(setup.target.multiple * main.window);
  const apart = {
    stretched: probeTable(probe, main, atTarget),
    squeezed: probeTable(probe, main, atTarget, main.window),
  };
  const label = candidate?.label ?? REFERENCE_LABEL;
  return {
    label,
    candidate,
    scalings,
    short,
    long,
    outOfRange: outOfRangeByRung(main, multiples),
    apart,
    addTo(jobs, sets) {
      jobs.add(sets.long, long, label);
      jobs.add(sets.longText, long, label);
      if (!candidate) jobs.add(sets.windows, [short[setup.main]![1]!], label);
      jobs.add(sets.stretched, [apart.stretched], label);
      jobs.add(sets.squeezed, [apart.squeezed], label);
      for (const tables of short) {
        jobs.add(sets.short, tables, label);
        jobs.add(sets.shortText, tables, label);
      }
    },
  };
}

/** Facts on the ladder, on all the contexts that the scaling was given; undefined: not run. */
export function longFacts(
  plan: Plan,
  jobs: JobList,
  sets: Sets,
  further: FurtherContexts,
  against: Against,
): Measured | undefined {
  const own = measuredOn(against, jobs, sets, 'long', plan.long);
  return own && further.join(own, jobs, plan.long);
}

/** One row of the report; parts that were not run are null or empty. */
export function buildCandidate(
  plan: Plan,
  jobs: JobList,
  sets: Sets,
  further: FurtherContexts,
  against: Against,
  setup: Setup,
): { report: CandidateReport; score: Score | undefined } {
  const measured = (name: SetName, tables: readonly ProbeTable[]) =>
    measuredOn(against, jobs, sets, name, tables);
  const shortOf = (tables: readonly ProbeTable[]) => {
    const facts = measured('short', tables);
    const text = measured('shortText', tables);
    return facts && text ? summariseShort(facts, text) : undefined;
  };
  const facts = longFacts(plan, jobs, sets, further, against);
  const text = withWindows(measured('longText', plan.long), against);
  const short = shortOf(plan.short[setup.main]!);
  const groups = plan.scalings.map((s, g) =>
    describeGroup(s, setup.model.groups[g]!.layerType, setup.target.tokens),
  );
  const local = plan.scalings.flatMap((scaling, g) => {
    const { layerType } = setup.model.groups[g]!;
    if (!isLocal(setup, g) || !groups[g]!.changed) return [];
    const found = shortOf(plan.short[g]!);
    return found ? [{ layerType, window: scaling.window, short: found }] : [];
  });
  const found = facts && summariseReach(facts);
  const given = facts?.set.contexts.length ?? 0;
  const total = text && score(text, plan.outOfRange, countedRungs(text, setup.target.multiple));
  const role = plan.candidate ? 'candidate' : 'reference';
  const judged = (): CandidateReport['verdict'] => {
    if (role === 'reference') return 'reference';
    if (setup.localOnly) return 'not-needed';
    if (!found || !short) return 'unclear';
    return verdict(found, [short, ...local.map((l) => l.short)], setup.target.multiple);
  };
  return {
    score: total,
    report: {
      label: plan.label,
      role,
      groups,
      short: short ?? null,
      needle: facts && text ? summariseNeedle(facts, text) : [],
      ...(given > sets.long.contexts.length ? { longContexts: given } : {}),
      reach: found && !setup.localOnly ? found : null,
      parts: facts ? apart(plan, jobs, sets, facts, setup) : null,
      local,
      score: total?.value ?? null,
      scoreParts: total ? { loss: total.loss, outOfRange: total.outOfRange } : null,
      verdict: judged(),
    },
  };
}

/** Rungs that the score is a mean over: from 1x to the target, without lengths asked for besides. */
function countedRungs({ rungs }: Comparison, target: number): number[] {
  const own = ladder(target);
  return rungs.flatMap(({ multiple }, i) => (own.includes(multiple) ? [i] : []));
}

/** How much of the facts' loss at the target is RoPE's, how much dilution's. */
function apart(plan: Plan, jobs: JobList, sets: Sets, facts: Measured, setup: Setup): Parts | null {
  const rung = facts.rungs.findIndex((r) => r.multiple === setup.target.multiple);
  const home = homeFacts(facts);
  const homeDraws = resamples(home.length, setup.seed);
  const part = (name: keyof Plan['apart']): Interval | undefined => {
    const set = sets[name];
    const measurement = jobs.measurement(set, [plan.apart[name]]);
    if (!measurement || set.contexts.length === 0) return undefined;
    // Other contexts than the home's: a stream of their own, even where both are as many.
    const draws = resamples(set.contexts.length, setup.seed + 1);
    const measured = { ...facts, set, draws, measurement };
    return factLossAgainst(measured, 0, home, homeDraws);
  };
  const rope = part('stretched');
  const dilution = part('squeezed');
  if (!rope || !dilution || rung < 0 || setup.target.multiple <= 1) return null;
  return { total: factLossAgainst(facts, rung, home, homeDraws), rope, dilution };
}
