import { meanLogExcess } from '../geometry/trained-range.js';
import type { Measurement } from '../probes/measure.js';
import { ladder, SHORT_RUNGS } from '../probes/presets.js';
import { resamples } from '../probes/statistics.js';
import type { CandidateReport } from '../report/schema/candidate.js';
import type { GroupScaling } from '../subjects/subject.js';
import type { Asked } from './questions.js';
import { verdict } from './verdict.js';
import type { FactsAndText, ReferenceResults, RunPlan, Variant } from './run.js';
import {
  score,
  summariseNeedle,
  summariseReach,
  summariseShort,
  windowedLoss,
  type Comparison,
  type Measured,
  type Score,
  type TextMeasured,
} from './summary.js';

/** Parts that were not answered to the end are left out. */
export function referenceResults(run: RunPlan): ReferenceResults {
  const { setup, reference, questions, further, multiples } = run;
  const { window } = setup.groups[setup.decisive]!;
  const compare = (
    asked: Asked,
    rungs: readonly number[],
    all: (own: Measurement) => Measurement = (own) => own,
  ): Comparison | undefined => {
    const own = questions.measurement(asked);
    return (
      own && {
        rungs: rungs.map((m) => ({ multiple: m, tokens: Math.round(m * window) })),
        home: Math.max(0, rungs.indexOf(1)),
        draws: resamples(own.contexts.length, setup.seed),
        reference: all(own),
      }
    );
  };
  const short = reference.short[decisiveOf(run)]!;
  const { facts, text } = reference.ladder;
  const windows = reference.windows && questions.measurement(reference.windows);
  return {
    short: pick(compare(short.facts, SHORT_RUNGS), compare(short.text, SHORT_RUNGS)),
    ladder: pick(
      compare(facts, multiples, (own) => further.join(own, facts, questions)),
      compare(text, multiples),
    ),
    ...(windows ? { windowed: windowedLoss(windows, multiples.length) } : {}),
  };
}

function pick(
  facts: Comparison | undefined,
  text: Comparison | undefined,
): ReferenceResults['short'] {
  return { ...(facts ? { facts } : {}), ...(text ? { text } : {}) };
}

/** Index into the subject's groups of the one that decides. */
export function decisiveOf({ setup, subject }: RunPlan): number {
  return subject.groups.findIndex(({ group }) => group === setup.decisive);
}

/** What a variant made of one ladder; parts that were not answered to the end are undefined. */
export interface Results {
  readonly facts: Measured | undefined;
  readonly text: TextMeasured | undefined;
}

/** Facts and text inside of the window, against the reference. */
export function shortResults(
  run: RunPlan,
  { short }: ReferenceResults,
  asked: FactsAndText,
): { readonly facts: Measured; readonly text: Measured } | undefined {
  const facts = measured(run, short.facts, asked.facts);
  const text = measured(run, short.text, asked.text);
  return facts && text && { facts, text };
}

/** Facts and text on the ladder, on the preset's contexts. */
export function ladderResults(
  run: RunPlan,
  { ladder, windowed }: ReferenceResults,
  asked: FactsAndText,
): Results {
  const text = measured(run, ladder.text, asked.text);
  return {
    facts: measured(run, ladder.facts, asked.facts),
    text: text && windowed && { ...text, windowed },
  };
}

function measured(
  { questions }: RunPlan,
  comparison: Comparison | undefined,
  asked: Asked,
): Measured | undefined {
  const measurement = questions.measurement(asked);
  return comparison && measurement && { ...comparison, measurement };
}

/** Facts on the ladder, on all the contexts that a variant was asked. */
export function onAllContexts(run: RunPlan, own: Measured, asked: Asked): Measured {
  const measurement = run.further.join(own.measurement, asked, run.questions);
  if (measurement === own.measurement) return own;
  return { ...own, measurement, draws: resamples(measurement.contexts.length, run.setup.seed) };
}

/** A row of the report, and the score behind it. */
export interface Judged {
  readonly report: CandidateReport;
  readonly score: Score | undefined;
}

/** One row of the report; parts that were not answered are null or empty. */
export function judge(run: RunPlan, reference: ReferenceResults, variant: Variant): Judged {
  const { setup, sets } = run;
  const own = ladderResults(run, reference, variant.ladder);
  const facts = own.facts && onAllContexts(run, own.facts, variant.ladder.facts);
  const { text } = own;
  const shortOf = (asked: FactsAndText) => {
    const found = shortResults(run, reference, asked);
    return found && summariseShort(found.facts, found.text);
  };
  const short = shortOf(variant.short[decisiveOf(run)]!);
  const groups = variant.scaling.groups.map((group) => describeGroup(group, setup.target.tokens));
  const local = run.subject.groups.flatMap(({ group }, index) => {
    const { layerType, window, local } = setup.groups[group]!;
    if (!local || !groups[group]!.changed) return [];
    const found = shortOf(variant.short[index]!);
    return found ? [{ layerType, window, short: found }] : [];
  });
  const reach = facts && summariseReach(facts);
  const contexts = facts?.measurement.contexts.length ?? 0;
  const total = text && scoreOf(run, variant, text);
  const judged = (): CandidateReport['verdict'] => {
    if (!variant.candidate) return 'reference';
    if (setup.localOnly) return 'not-needed';
    if (!reach || !short) return 'unclear';
    return verdict(reach, [short, ...local.map((l) => l.short)], setup.target.multiple);
  };
  const row: CandidateReport = {
    label: variant.label,
    role: variant.candidate ? 'candidate' : 'reference',
    groups,
    short: short ?? null,
    needle: facts && text ? summariseNeedle(facts, text) : [],
    ...(contexts > sets.ladder.contexts.length ? { longContexts: contexts } : {}),
    reach: reach && !setup.localOnly ? reach : null,
    parts: null,
    local,
    score: total?.value ?? null,
    scoreParts: total ? { loss: total.loss, outOfRange: total.outOfRange } : null,
    verdict: judged(),
  };
  const fragments = variant.probes.map((probe) => probe.report(run, reference));
  return { score: total, report: Object.assign(row, ...fragments) as CandidateReport };
}

/** The score counts the rungs from 1x to the target, without lengths asked for besides. */
function scoreOf({ setup, subject, multiples }: RunPlan, variant: Variant, text: TextMeasured) {
  const own = ladder(setup.target.multiple);
  const counted = text.rungs.flatMap(({ multiple }, i) => (own.includes(multiple) ? [i] : []));
  const scaling = variant.scaling.groups[setup.decisive]!;
  const outOfRange = outOfRangeByRung(scaling, multiples, subject.lossScale);
  return score(text, outOfRange, counted);
}

/**
 * (multiples) what leaving the trained range costs in the score at each length, nats:
 * `meanLogExcess` of the user's own angles, at one nat of the subject's language a unit.
 *
 * @param lossScale of the subject
 */
export function outOfRangeByRung(
  scaling: GroupScaling,
  multiples: readonly number[],
  lossScale: number,
): number[] {
  const { window, referenceTable } = scaling.trained;
  return multiples.map((multiple) => {
    const tokens = Math.round(multiple * window);
    const { invFreq } = scaling.tableAt(tokens);
    return lossScale * meanLogExcess(referenceTable.invFreq, invFreq, window, tokens);
  });
}

/**
 * What a scaling does to a group of layers, as the report has it.
 *
 * @param tokens length of the context: a scaling may depend on it
 */
export function describeGroup(
  scaling: GroupScaling,
  tokens: number,
): CandidateReport['groups'][number] {
  const { trained, spec, softmaxScaleRatio } = scaling;
  const reference = trained.referenceTable;
  const candidate = scaling.tableAt(tokens);
  const stretches = Array.from(reference.invFreq, (from, i) => {
    const to = candidate.invFreq[i]!;
    return from > 0 && to > 0 ? from / to : 1; // a pair that stands still is not stretched
  });
  const attentionScaling = candidate.attentionScaling / reference.attentionScaling;
  return {
    layerType: trained.layerType,
    ropeType: spec.type,
    attentionScaling,
    maxStretch: Math.max(0, ...stretches),
    changed:
      attentionScaling * Math.sqrt(softmaxScaleRatio) !== 1 || stretches.some((x) => x !== 1),
  };
}
