import { finding, type Finding } from '../../findings/index.js';
import { clusters, pairedDifference, type Quantity } from '../../probes/measure.js';
import { SHORT_RUNGS } from '../../probes/presets.js';
import type { DynamicForm, Gap } from '../../report/probe-parts/serving.js';
import type { CandidateReport } from '../../report/schema/candidate.js';
import { staticForm } from '../../rope/kinds/dynamic.js';
import { scaleGroup, type Scaling, type Treatment } from '../../subjects/subject.js';
import {
  type AskedVariant,
  type FactsAndText,
  ladderTreatments,
  type Probe,
  type ReferenceResults,
  type Run,
  type RunPlan,
  shortTreatments,
  type Variant,
} from '../run.js';
import { AskedSeries } from '../series.js';
import {
  matters,
  type Measured,
  QUANTITIES,
  summariseNeedle,
  summariseReach,
  summariseShort,
  type TextMeasured,
} from '../results.js';
import { ladderResults, shortResults } from '../variant.js';

interface AskedForm {
  readonly form: DynamicForm['form'];
  readonly short: FactsAndText;
  readonly ladder: FactsAndText;
}

/**
 * Asks about dynamic scaling in the three forms that implementations use:
 *
 * - `recomputed`: all keys and queries use the table of the current length, as transformers does
 *   without a cache, or for a prompt that is read at once;
 * - `cached`: decoding token by token with a KV cache, whose keys keep the table of the length at
 *   which they were written (huggingface/transformers#25104);
 * - `static`: one table at every length, as in vLLM. For a candidate it is the table of the target,
 *   which `emit` writes for such engines; for a block that stands in the config it is the table that
 *   the engine makes of that block.
 */
export const forms: Probe = {
  name: 'forms',
  prepare(run) {
    if (run.samples.apart === 0 || run.setup.localOnly || run.subject.takes.cachedKeys === 'no')
      return undefined;
    return (variant) => {
      const asked = formsOf(run, variant);
      return {
        asked: asked.flatMap(({ form, short, ladder }) =>
          form === 'recomputed' ? [] : [ladder.facts, ladder.text, short.facts, short.text],
        ),
        report(plan, reference) {
          const found = asked.length > 0 ? reportForms(plan, reference, asked) : undefined;
          return found ? { forms: found } : {};
        },
      };
    };
  },
  findings: formFindings,
};

/** What a probe is told of a variant for its findings. */
type Named = Pick<Variant, 'candidate'>;

const isConfigured = ({ candidate }: Named): boolean =>
  candidate?.definition.method === 'as-configured';

/** @returns nothing for a scaling that is not dynamic */
function formsOf(
  run: Run,
  { label, candidate, scaling, short, ladder }: AskedVariant,
): readonly AskedForm[] {
  const { setup, subject, multiples, series, questions } = run;
  const group = setup.decisive;
  const { spec } = scaling.groups[group]!;
  if (spec.type !== 'dynamic') return [];
  const table = isConfigured({ candidate })
    ? staticForm(spec)
    : staticForm(spec, setup.target.tokens);
  const fixed: Scaling = {
    ...scaling,
    groups: scaling.groups.map((own, index) =>
      index === group ? scaleGroup(own.trained, table, own.softmaxScaleRatio) : own,
    ),
  };
  // Equal tables are run once, so a form costs nothing at lengths where it agrees with another one.
  const form = (
    form: DynamicForm['form'],
    short: readonly Treatment[],
    ladder: readonly Treatment[],
  ): AskedForm => {
    const asked = (name: keyof typeof series, treatments: readonly Treatment[]): AskedSeries =>
      new AskedSeries(questions, series[name], treatments, `${label}, ${form}`);
    return {
      form,
      short: { facts: asked('short', short), text: asked('shortText', short) },
      ladder: { facts: asked('ladder', ladder), text: asked('ladderText', ladder) },
    };
  };
  const own = subject.groups.findIndex((each) => each.group === group);
  return [
    { form: 'recomputed', short: short[own]!, ladder },
    form(
      'cached',
      cachedTreatments(run, scaling, SHORT_RUNGS),
      cachedTreatments(run, scaling, multiples),
    ),
    form('static', shortTreatments(run, fixed, group), ladderTreatments(run, fixed)),
  ];
}

/** (multiples) decoding with a cache up to each length; index t stands for t + 1 tokens of 1x. */
function cachedTreatments(
  { setup, subject }: Run,
  scaling: Scaling,
  multiples: readonly number[],
): readonly Treatment[] {
  const group = setup.decisive;
  const { window } = setup.groups[group]!;
  const tokens = (index: number): number =>
    Math.max(1, Math.round(((index + 1) / subject.window) * window));
  const upTo = (multiple: number): Treatment => {
    const indices = Math.round(multiple * subject.window);
    return subject.treat(scaling, {
      group,
      tokens: tokens(indices - 1),
      windows: indices / subject.window,
      writtenAt: { indices, tokens },
    });
  };
  if (subject.takes.cachedKeys === 'pass-per-length') return multiples.map(upTo);
  const longest = upTo(Math.max(...multiples));
  return multiples.map(() => longest);
}

interface FormResults {
  readonly facts: Measured;
  readonly text: TextMeasured;
  readonly short: { readonly facts: Measured; readonly text: Measured };
}

/** @returns undefined if a form was not answered completely */
function reportForms(
  run: RunPlan,
  reference: ReferenceResults,
  asked: readonly AskedForm[],
): DynamicForm[] | undefined {
  const results = asked.map((form): FormResults | undefined => {
    const { facts, text } = ladderResults(run, reference, form.ladder);
    const short = shortResults(run, reference, form.short);
    return facts && text && short && { facts, text, short };
  });
  if (!results.every((each) => each !== undefined)) return undefined;
  const recomputed = results[0]!;
  return results.map((own, i): DynamicForm => {
    const { form } = asked[i]!;
    const gap = (quantity: Quantity): Gap =>
      largestGap(own, recomputed, quantity, run.setup.target.multiple);
    const { accuracyChange, lossChange } = summariseShort(own.short.facts, own.short.text);
    return {
      form,
      short: { accuracyChange, lossChange },
      needle: summariseNeedle(own.facts, own.text).map((n) => ({
        multiple: n.multiple,
        tokens: n.tokens,
        accuracy: n.accuracy,
        languageLoss: n.languageLoss,
        lossChange: n.lossChange,
      })),
      reach: summariseReach(own.facts),
      ...(own === recomputed ? {} : { gap: { accuracy: gap('accuracy'), loss: gap('loss') } }),
    };
  });
}

/** Finds the largest difference between two forms, at the short lengths and up to the target. */
function largestGap(
  form: FormResults,
  recomputed: FormResults,
  quantity: Quantity,
  target: number,
): Gap {
  const [on, kind] =
    quantity === 'accuracy' ? (['facts', 'fact'] as const) : (['text', 'language'] as const);
  // Only the recomputed form may have further contexts, so pairs use the contexts that both have.
  const gap = (probe: Gap['probe'], own: Measured, base: Measured, rungs: number[]): Gap => {
    const of = (m: Measured) => clusters(m.measurement, { kind, rungs }, quantity);
    const { tokens } = own.rungs[rungs.at(-1)!]!;
    return { ...pairedDifference(of(own), of(base), own.draws), tokens, probe };
  };
  const all = [
    gap('short', form.short[on], recomputed.short[on], [0, 1]),
    ...form[on].rungs.flatMap(({ multiple }, rung) =>
      multiple <= target ? [gap('needle', form[on], recomputed[on], [rung])] : [],
    ),
  ];
  return all.reduce((a, b) => (Math.abs(b.value) > Math.abs(a.value) ? b : a));
}

function formFindings({ label, forms = [] }: CandidateReport, variant: Named): Finding[] {
  const severity = isConfigured(variant) ? 'warning' : 'notice';
  return forms.flatMap(({ form, gap }) => {
    // If both quantities matter, the facts are reported, because users notice them more.
    const quantity = QUANTITIES.find((each) => gap && matters(gap[each], each));
    if (!gap || !quantity) return [];
    const { value, tokens, probe } = gap[quantity];
    const args = { candidate: label, form, quantity, value, tokens, probe };
    return [finding('dynamic_forms_differ', '', args, severity)];
  });
}
