import {
  type FactorDefinition,
  type ResolvedCandidate,
  roundUp,
} from '../candidates/definition.js';
import { resolveCandidate } from '../candidates/resolve.js';
import {
  emit,
  type EmitInput,
  emitInputOf,
  ENGINES,
  formOf,
  hfPatch,
  type HfPatch,
} from '../emit/index.js';
import { finding, type Finding } from '../findings/index.js';
import { sameValue } from '../json/parse.js';
import { referenceSpecs } from '../model/evidence.js';
import type { CandidateReport, Verdict } from '../report/schema/candidate.js';
import type { Report } from '../report/schema/report.js';
import type { Setup } from './setup.js';
import { SHORT_LIMITS } from './results.js';

type Recommendation = Report['recommendation'];

/** Verdicts that a recommendation may be based on, the most certain first. */
const TIERS = Object.freeze([['reaches', 'reaches-at-a-cost'], ['unclear']] as const);

const CODES: Readonly<Partial<Record<Verdict, Recommendation['code']>>> = Object.freeze({
  reaches: 'use',
  'reaches-at-a-cost': 'use-at-a-cost',
});

/**
 * Decides what to recommend. If the reference itself holds at the target, it is kept unless a
 * candidate that also holds there scores clearly lower, because a model may still find facts while
 * its language decays. If the reference does not hold, the best candidate that does is recommended,
 * or else the one that gets farthest.
 *
 * @param candidates the reference first
 * @param isTied whether the scores of two candidates are statistically indistinguishable
 */
export function recommend(
  candidates: readonly CandidateReport[],
  target: number,
  isTied: (a: CandidateReport, b: CandidateReport) => boolean,
): Recommendation {
  const reference = candidates[0]!;
  const others = candidates.slice(1);
  const keep: Recommendation = { code: 'keep', candidate: reference.label, tied: [] };
  const localOnly = others.length > 0 && others.every((c) => c.verdict === 'not-needed');
  if (target <= 1 || localOnly) return keep;
  const measured = others.filter((c) => c.score !== null);
  const tier = bestTier(measured);
  const best = lowest(tier);
  const holds = (reference.reach?.multiple ?? 0) >= target;
  if (holds && !(best && clearlyLower(best, reference, isTied))) return keep;
  // If the weights find no facts without a scaling, facts cannot show how far a scaling holds.
  const knows = reference.reach?.multiple !== 0;
  if (!knows && (best?.verdict ?? 'unclear') === 'unclear')
    return { code: 'unclear', candidate: null, tied: [] };
  if (best) {
    const tied = tier.filter((c) => c !== best && isTied(best, c)).map((c) => c.label);
    return { code: CODES[best.verdict] ?? 'unclear', candidate: best.label, tied };
  }
  // A run that ended early says nothing about candidates that it did not measure.
  if (measured.length < others.length) return { code: 'unclear', candidate: null, tied: [] };
  return { code: 'none-reaches', candidate: farthest(measured)?.label ?? null, tied: [] };
}

/** Selects the candidates that reach the target, or else those whose verdict is unclear. */
function bestTier(measured: readonly CandidateReport[]): CandidateReport[] {
  const tiers = TIERS.map((verdicts) =>
    measured.filter((c) => verdicts.some((v) => v === c.verdict)),
  );
  return tiers.find((tier) => tier.length > 0) ?? [];
}

/**
 * Selects the lowest score. The score includes the cost at short contexts, so a separate limit on
 * that cost would only add an abrupt threshold.
 */
function lowest(some: readonly CandidateReport[]): CandidateReport | undefined {
  const [first, ...rest] = some;
  return first && rest.reduce((a, b) => (b.score! < a.score! ? b : a), first);
}

/**
 * Whether a candidate's score is lower by more than the limit of the verdict, and distinguishable
 * from the reference's. A smaller gain does not justify a change of the config.
 */
function clearlyLower(
  candidate: CandidateReport,
  reference: CandidateReport,
  isTied: (a: CandidateReport, b: CandidateReport) => boolean,
): boolean {
  if (reference.score === null || candidate.score === null) return false;
  const gain = reference.score - candidate.score;
  return gain > SHORT_LIMITS.lossChange && !isTied(candidate, reference);
}

/** Selects the longest reach, and of equals the lowest score; undefined if none holds at 1x. */
function farthest(measured: readonly CandidateReport[]): CandidateReport | undefined {
  const reach = (c: CandidateReport): number => c.reach?.multiple ?? 0;
  const most = Math.max(0, ...measured.map(reach));
  return most > 0 ? lowest(measured.filter((c) => reach(c) === most)) : undefined;
}

/** What the settings of a candidate are made from; undefined if no layer of the model rotates. */
function inputOf(
  setup: Setup,
  { label, specs }: Pick<ResolvedCandidate, 'label' | 'specs'>,
  length = setup.target.tokens,
): EmitInput | undefined {
  const { model, before, reference, config } = setup;
  return emitInputOf(label, model, reference, specs, config.raw, length, { before });
}

/** What a candidate would change in the config; undefined if emit has no form for it. */
function patchOf(setup: Setup, resolved: ResolvedCandidate, length?: number): HfPatch | undefined {
  const input = inputOf(setup, resolved, length);
  return input && hfPatch(input, formOf(input));
}

/**
 * The keys that the recommended scaling changes in the config; `null` = remove.
 *
 * @returns undefined if nothing changes, or if a config cannot express the scaling
 */
export function keysToWrite(
  setup: Setup,
  { code, candidate }: Report['recommendation'],
): Record<string, unknown> | undefined {
  if (code === 'keep') return keysToKeep(setup);
  if (code !== 'use' && code !== 'use-at-a-cost') return undefined;
  return candidate === null ? undefined : keysOf(setup, candidate);
}

/** What a config that is kept still lacks: engines refuse more tokens than it names. */
function keysToKeep(setup: Setup): Record<string, unknown> | undefined {
  const { model, before, reference, target } = setup;
  const definition = { label: 'as-configured', method: 'as-configured' } as const;
  const own = resolveCandidate(definition, model, reference, { before });
  const isTrained = sameValue(own.specs, referenceSpecs(model, before, reference));
  if (!isTrained || target.tokens <= model.maxPositions) return undefined;
  return keysIn(patchOf(setup, own));
}

/** The keys that one candidate changes in the config to serve a length; default: the target. */
export function keysOf(
  setup: Setup,
  label: string,
  length?: number,
): Record<string, unknown> | undefined {
  const resolved = setup.candidates.find((c) => c.label === label);
  return resolved && keysIn(patchOf(setup, resolved, length));
}

function keysIn(patch: HfPatch | undefined): Record<string, unknown> | undefined {
  if (!patch?.ok || patch.edits.length === 0) return undefined;
  return Object.fromEntries(patch.edits.map((e) => [e.path.join('.'), e.value ?? null]));
}

/**
 * Reports candidates that no config.json of this model type can express, with the engines that can
 * be told to run them. They are still measured.
 */
export function unwritableFindings(setup: Setup): Finding[] {
  const found = new Map<string, { candidates: string[]; reason: string; engines: string[] }>();
  for (const candidate of setup.candidates) {
    const { definition, label } = candidate;
    if (definition.method === 'as-configured') continue;
    const input = inputOf(setup, candidate);
    const patch = input && hfPatch(input, formOf(input));
    if (input === undefined || patch?.ok !== false || patch.otherForm) continue;
    const { reason } = patch;
    const engines = emit(input, ENGINES).flatMap(({ ok, engine }) => (ok ? [engine] : []));
    const key = [reason, ...engines].join('\n');
    const same = found.get(key) ?? { candidates: [], reason, engines };
    same.candidates.push(label);
    found.set(key, same);
  }
  return [...found.values()].map((args) => finding('candidate_not_written', '', args));
}

type Profile = NonNullable<Report['recommendation']['profiles']>[number];

/**
 * Chooses what a server that can switch scalings should run for requests up to each length: the
 * recommended method with the smallest factor that was measured to hold there. Factor 1 is what the
 * weights were trained with.
 *
 * If only one factor of the method was measured, and it reaches the target, the factors of shorter
 * lengths are in proportion to the length: at every length they stretch as much beyond it as the
 * measured factor does at the target. They are marked, because no run measured them.
 *
 * @param candidates the reference first
 * @returns undefined unless the recommended scaling has a factor, and one table for all lengths if
 *   only that one was measured
 */
export function requestProfiles(
  setup: Setup,
  candidates: readonly CandidateReport[],
  recommendation: Report['recommendation'],
): Profile[] | undefined {
  const named = factorOf(setup, recommendation.candidate);
  const [reference, ...others] = candidates;
  if (named === undefined || reference === undefined) return undefined;
  const stretched = others.flatMap((report) => {
    const other = factorOf(setup, report.label);
    return other?.method === named.method ? [{ report, factor: other.factor }] : [];
  });
  const window = setup.reference.trainedWindow;
  const lengths = multiplesUpTo(setup.target.multiple).map((multiple) => ({
    multiple,
    upTo: Math.round(multiple * window),
  }));
  if (new Set(stretched.map(({ factor }) => factor)).size < 2) {
    const reaches = recommendation.code === 'use' || recommendation.code === 'use-at-a-cost';
    // The table of a dynamic scaling follows the length by itself.
    if (!reaches || named.method === 'dynamic') return undefined;
    return lengths.map(({ multiple, upTo }) =>
      multiple <= 1
        ? { upTo, candidate: reference.label, factor: 1 }
        : inProportion(setup, named, multiple, upTo),
    );
  }
  const choices = [
    { report: reference, factor: 1 },
    ...stretched.sort((a, b) => a.factor - b.factor),
  ];
  return lengths.map(({ multiple, upTo }) => {
    const holds = choices.find(({ report }) => (report.reach?.multiple ?? 0) >= multiple);
    if (holds === undefined) return { upTo, candidate: null };
    const { report, factor } = holds;
    const write = report === reference ? undefined : keysOf(setup, report.label, upTo);
    return { upTo, candidate: report.label, factor, ...(write && { write }) };
  });
}

/** The measured factor at the target, and at a shorter length a factor in proportion to it. */
function inProportion(
  setup: Setup,
  measured: FactorDefinition,
  multiple: number,
  upTo: number,
): Profile {
  const { factor: most, label, method, params } = measured;
  if (multiple >= setup.target.multiple) {
    const write = keysOf(setup, label, upTo);
    return { upTo, candidate: label, factor: most, ...(write && { write }) };
  }
  const factor = Math.max(1, roundUp((most * multiple) / setup.target.multiple));
  const values = Object.entries(params).map(([key, value]) => `:${key}=${value}`);
  const smaller = { ...measured, label: `${method}:${factor}${values.join('')}`, factor };
  const { model, reference, before } = setup;
  const resolved = resolveCandidate(smaller, model, reference, { before });
  const write = keysIn(patchOf(setup, resolved, upTo));
  return { upTo, candidate: smaller.label, factor, measured: false, ...(write && { write }) };
}

function factorOf(setup: Setup, label: string | null): FactorDefinition | undefined {
  const definition = setup.candidates.find((each) => each.label === label)?.definition;
  return definition !== undefined && 'factor' in definition ? definition : undefined;
}

/** The trained window, doubled up to the target: lengths between which a server would switch. */
function multiplesUpTo(target: number): readonly number[] {
  const multiples: number[] = [];
  for (let multiple = 1; multiple < target; multiple *= 2) multiples.push(multiple);
  return [...multiples, target];
}
