import type { ProbeGeometry } from '../geometry/transfer.js';
import { clusters, type Measurement, type Quantity } from '../probes/measure.js';
import { SHORT_RUNGS } from '../probes/presets.js';
import { pairedDifference } from '../probes/statistics.js';
import type { DynamicForm, Gap } from '../report/schema/candidate.js';
import { staticForm } from '../rope/kinds/dynamic.js';
import { type Against, measuredOn, type Plan, withWindows } from './candidate.js';
import type { FurtherContexts, Sets } from './context-sets.js';
import type { JobList } from './jobs.js';
import { type Measured, summariseNeedle, summariseReach, summariseShort } from './summary.js';
import { cachedScaling, type GroupScaling, type Rotation, tablesByRung } from './tables.js';

/** Tables of one form, one per rung. */
export interface FormPlan {
  readonly form: DynamicForm['form'];
  readonly short: readonly Rotation[];
  readonly long: readonly Rotation[];
}

/**
 * Dynamic scaling as it is met in the wild:
 *
 * - `recomputed`: all keys and queries have the table of the present length. transformers without
 *   a cache, and for a prompt that is read at once;
 * - `cached`: token by token with a KV cache, whose keys keep the table of the length at which
 *   they were written (huggingface/transformers#25104);
 * - `static`: one table for factor x max_position_embeddings at every length, as in vLLM.
 *
 * @param multiples the ladder
 * @returns nothing for a scaling that is not dynamic
 */
export function planForms(
  plan: Plan,
  main: number,
  probe: ProbeGeometry,
  multiples: readonly number[],
): readonly FormPlan[] {
  const scaling = plan.scalings[main]!;
  if (scaling.candidate.type !== 'dynamic') return [];
  const fixed: GroupScaling = { ...scaling, candidate: staticForm(scaling.candidate) };
  const cached = (rungs: readonly number[]): Rotation[] => {
    const upTo = (multiple: number) =>
      cachedScaling(probe, scaling, Math.round(multiple * probe.window));
    // One pass serves every rung, but where pairs are held at each.
    if (probe.held) return rungs.map(upTo);
    const longest = upTo(Math.max(...rungs));
    return rungs.map(() => longest);
  };
  return [
    { form: 'recomputed', short: plan.short[main]!, long: plan.long },
    { form: 'cached', short: cached(SHORT_RUNGS), long: cached(multiples) },
    {
      form: 'static',
      short: tablesByRung(probe, fixed, SHORT_RUNGS),
      long: tablesByRung(probe, fixed, multiples),
    },
  ];
}

/** Equal tables are run once: a form at lengths where it is the same as another costs nothing. */
export function addForms(
  forms: readonly FormPlan[],
  jobs: JobList,
  sets: Sets,
  label: string,
): void {
  for (const { form, short, long } of forms) {
    const name = `${label}, ${form}`;
    jobs.add(sets.long, long, name);
    jobs.add(sets.longText, long, name);
    jobs.add(sets.short, short, name);
    jobs.add(sets.shortText, short, name);
  }
}

interface Results {
  readonly facts: Measured;
  readonly text: Measured;
  readonly shortFacts: Measured;
  readonly shortText: Measured;
}

/** @returns undefined where some form was not run to the end */
export function reportForms(
  forms: readonly FormPlan[],
  jobs: JobList,
  sets: Sets,
  further: FurtherContexts,
  against: Against,
  target: number,
): DynamicForm[] | undefined {
  let recomputed: Results | undefined;
  const found: DynamicForm[] = [];
  for (const { form, short, long } of forms) {
    const facts = measuredOn(against, jobs, sets, 'long', long);
    const text = withWindows(measuredOn(against, jobs, sets, 'longText', long), against);
    const shortFacts = measuredOn(against, jobs, sets, 'short', short);
    const shortText = measuredOn(against, jobs, sets, 'shortText', short);
    if (!facts || !text || !shortFacts || !shortText) return undefined;
    const results = { facts, text, shortFacts, shortText };
    const { accuracyChange, lossChange } = summariseShort(shortFacts, shortText);
    // Gaps pair the preset's contexts, which all forms have.
    const all = further.join(facts, jobs, long);
    const { multiple, tokens, low, high, censored } = summariseReach(all);
    found.push({
      form,
      short: { accuracyChange, lossChange },
      needle: summariseNeedle(all, text).map((n) => ({
        multiple: n.multiple,
        tokens: n.tokens,
        accuracy: n.accuracy,
        languageLoss: n.languageLoss,
        lossChange: n.lossChange,
      })),
      reach: { multiple, tokens, low, high, censored },
      ...(recomputed ? { gap: gapOf(results, recomputed, target) } : {}),
    });
    recomputed ??= results;
  }
  return found.length === 0 ? undefined : found;
}

/** The largest difference between two forms, over the short lengths and the rungs to the target. */
function gapOf(form: Results, base: Results, target: number): NonNullable<DynamicForm['gap']> {
  return {
    accuracy: largest(
      { probe: 'short', own: form.shortFacts, base: base.shortFacts.measurement },
      { probe: 'needle', own: form.facts, base: base.facts.measurement },
      'accuracy',
      target,
    ),
    loss: largest(
      { probe: 'short', own: form.shortText, base: base.shortText.measurement },
      { probe: 'needle', own: form.text, base: base.text.measurement },
      'loss',
      target,
    ),
  };
}

interface Side {
  readonly probe: Gap['probe'];
  readonly own: Measured;
  readonly base: Measurement;
}

function largest(short: Side, long: Side, quantity: Quantity, target: number): Gap {
  const kind = quantity === 'accuracy' ? 'fact' : 'language';
  const gap = ({ probe, own, base }: Side, rungs: readonly number[]): Gap => {
    const of = (m: Measurement) => clusters(m, { kind, rungs }, quantity);
    const { tokens } = own.rungs[rungs.at(-1)!]!;
    return { ...pairedDifference(of(own.measurement), of(base), own.draws), tokens, probe };
  };
  const rungs = long.own.rungs.flatMap((r, i) => (r.multiple <= target ? [i] : []));
  const all = [gap(short, [0, 1]), ...rungs.map((r) => gap(long, [r]))];
  return all.reduce((a, b) => (Math.abs(b.value) > Math.abs(a.value) ? b : a));
}
