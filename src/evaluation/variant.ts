import { argumentOf } from '../candidates/definition.js';
import { meanLogExcess } from '../geometry/base-bound.js';
import { stretch } from '../geometry/spectrum.js';
import { type Measurement, resamples } from '../probes/measure.js';
import { ladder, SHORT_RUNGS } from '../probes/presets.js';
import type { CandidateReport } from '../report/schema/candidate.js';
import type { GroupScaling } from '../subjects/subject.js';
import type { FactsAndText, PlannedProbe, ReferenceResults, RunPlan, Variant } from './run.js';
import type { AskedSeries } from './series.js';
import {
  type Comparison,
  expectReach,
  type Measured,
  score,
  type Score,
  summariseNeedle,
  summariseReach,
  summariseShort,
  type TextMeasured,
  tied,
  verdict,
  windowedLoss,
} from './results.js';

/** Numbers of resamples: behind a final interval, and behind one that is shown during a run. */
export const DRAWS = Object.freeze({ final: 1000, provisional: 100 });

/** Computes the reference's results on each set that was answered. @param draws number of resamples */
export function referenceResults(run: RunPlan, draws: number = DRAWS.final): ReferenceResults {
  const { setup, reference, multiples } = run;
  const { window } = setup.groups[setup.decisive]!;
  const compare = (asked: AskedSeries, rungs: readonly number[]): Comparison | undefined => {
    const own = asked.measurement();
    return (
      own && {
        rungs: rungs.map((m) => ({ multiple: m, tokens: Math.round(m * window) })),
        home: Math.max(0, rungs.indexOf(1)),
        draws: resamples(own.contexts.length, setup.seed, draws),
        reference: own,
      }
    );
  };
  const both = ({ facts, text }: FactsAndText, rungs: readonly number[]) => {
    const [ofFacts, ofText] = [compare(facts, rungs), compare(text, rungs)];
    return { ...(ofFacts ? { facts: ofFacts } : {}), ...(ofText ? { text: ofText } : {}) };
  };
  const windows = reference.windows?.measurement();
  return {
    short: both(reference.short[decisiveOf(run)]!, SHORT_RUNGS),
    ladder: both(reference.ladder, multiples),
    ...(windows ? { windowed: windowedLoss(windows, multiples.length) } : {}),
  };
}

/** Index, among the subject's groups, of the one that decides. */
export function decisiveOf({ setup, subject }: RunPlan): number {
  return subject.groups.findIndex(({ group }) => group === setup.decisive);
}

/** A variant's results on one ladder; undefined for what was not answered. */
export interface Results {
  readonly facts: Measured | undefined;
  readonly text: TextMeasured | undefined;
}

/** Compares facts and text inside the window with the reference. */
export function shortResults(
  run: RunPlan,
  { short }: ReferenceResults,
  asked: FactsAndText,
): { readonly facts: Measured; readonly text: Measured } | undefined {
  const facts = short.facts && paired(run, short.facts, asked.facts);
  const text = short.text && paired(run, short.text, asked.text);
  return facts && text && { facts, text };
}

/** Compares facts and text on the ladder with the reference. */
export function ladderResults(
  run: RunPlan,
  { ladder, windowed }: ReferenceResults,
  asked: FactsAndText,
): Results {
  const most = windowed?.[0]?.length;
  const text = ladder.text && paired(run, ladder.text, asked.text, most);
  // A variant may have more facts than the reference, whose accuracy is a fixed yardstick here.
  const facts = ladder.facts && measured(run, ladder.facts, asked.facts.measurement());
  return { facts, text: text && windowed && { ...text, windowed } };
}

/** Compares a variant with the reference on the contexts that both have. */
function paired(
  run: RunPlan,
  comparison: Comparison,
  asked: AskedSeries,
  most = Infinity,
): Measured | undefined {
  const own = asked.measurement();
  const shared = Math.min(comparison.reference.contexts.length, most);
  return measured(run, comparison, own && firstContexts(own, shared));
}

function measured(
  { setup }: RunPlan,
  comparison: Comparison,
  own: Measurement | undefined,
): Measured | undefined {
  if (!own) return undefined;
  const { draws, reference } = comparison;
  const size = own.contexts.length;
  return {
    ...comparison,
    measurement: own,
    draws: size === reference.contexts.length ? draws : resamples(size, setup.seed, draws.length),
  };
}

function firstContexts(m: Measurement, count: number): Measurement {
  if (m.contexts.length <= count) return m;
  const at = m.at.map((scores) => scores.slice(0, count));
  return { ...m, contexts: m.contexts.slice(0, count), at };
}

/** A row of the report, with the score behind it. */
export interface Judged {
  readonly report: CandidateReport;
  readonly score: Score | undefined;
}

/** Makes one row of the report, with these probes. What was not answered is null or empty. */
export function judge(
  run: RunPlan,
  reference: ReferenceResults,
  variant: Variant,
  probes: readonly PlannedProbe[] = variant.probes,
): Judged {
  const { setup, sets } = run;
  const { facts, text } = ladderResults(run, reference, variant.ladder);
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
  const needle = facts && text ? summariseNeedle(facts, text) : [];
  const reach = facts && summariseReach(facts);
  const excess = outOfRangeByRung(variant.scaling.groups[setup.decisive]!, run.multiples, 1);
  const expected = reach && expectReach(reach, needle, excess);
  const contexts = facts?.measurement.contexts.length ?? 0;
  const total = text && scoreOf(run, variant, text);
  const judged = (): CandidateReport['verdict'] => {
    if (!variant.candidate) return 'reference';
    if (setup.localOnly) return 'not-needed';
    if (!facts || !reach || !short) return 'unclear';
    const all = [short, ...local.map((l) => l.short)];
    return verdict(facts, reach, all, setup.target.multiple);
  };
  const row: CandidateReport = {
    label: variant.label,
    ...argumentOf(variant.candidate?.definition),
    role: variant.candidate ? 'candidate' : 'reference',
    groups,
    short: short ?? null,
    needle,
    ...(contexts !== 0 && contexts !== sets.ladder.contexts.length
      ? { longContexts: contexts }
      : {}),
    reach: reach && !setup.localOnly ? { ...reach, ...(expected ? { expected } : {}) } : null,
    parts: null,
    local,
    score: total?.value ?? null,
    scoreParts: total ? { loss: total.loss, outOfRange: total.outOfRange } : null,
    verdict: judged(),
  };
  const fragments = probes.map((probe) => probe.report(run, reference));
  return { score: total, report: Object.assign(row, ...fragments) as CandidateReport };
}

/** Scores a variant on the rungs from 1x to the target, without lengths that the user added. */
function scoreOf({ setup, subject, multiples }: RunPlan, variant: Variant, text: TextMeasured) {
  const own = ladder(setup.target.multiple);
  const counted = text.rungs.flatMap(({ multiple }, i) => (own.includes(multiple) ? [i] : []));
  const scaling = variant.scaling.groups[setup.decisive]!;
  const outOfRange = outOfRangeByRung(scaling, multiples, subject.lossScale);
  return score(text, outOfRange, counted);
}

/**
 * (multiples) the cost, in nats of the score, of leaving the trained angles at each length:
 * `meanLogExcess` of the user's own angles, where one unit counts as one nat of the subject's
 * language.
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

/** Describes what a scaling does to a group of layers in a context of this many tokens. */
export function describeGroup(
  scaling: GroupScaling,
  tokens: number,
): CandidateReport['groups'][number] {
  const { trained, spec, softmaxScaleRatio } = scaling;
  const reference = trained.referenceTable;
  const candidate = scaling.tableAt(tokens);
  // A pair that does not turn is not stretched.
  const stretches = stretch(reference.invFreq, candidate.invFreq).map((each) => each ?? 1);
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

/** Makes a test of whether the scores of two rows are statistically indistinguishable. */
export function tiesOf(
  judged: readonly Judged[],
): (a: CandidateReport, b: CandidateReport) => boolean {
  const scores = new Map(judged.map(({ report, score }) => [report, score]));
  return (a, b) => {
    const [x, y] = [scores.get(a), scores.get(b)];
    return x !== undefined && y !== undefined && tied(x, y);
  };
}
