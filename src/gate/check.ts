import {
  type CandidateDefinition,
  joinCandidates,
  parseCandidates,
} from '../candidates/definition.js';
import {
  type ErrorPlace,
  option,
  type OptionNames,
  PROGRAM_NAMES,
  RopeEvalError,
  type Words,
  words,
} from '../errors.js';
import { MAX_MULTIPLE } from '../evaluation/setup.js';
import { finding, type Finding, findingName, type FindingName } from '../findings/index.js';
import { defined, holdsKey, isRecord, own, sameValue, valueAt } from '../json/parse.js';
import { hasScaling, referenceBefore, referenceSpecs } from '../model/evidence.js';
import { isNotRope, type ReadConfig, requireRope } from '../model/read-model.js';
import { classFields } from '../model/source.js';
import type { ModelGeometry, Reference } from '../model/types.js';
import type { EvaluateOptions } from '../options.js';
import type { Report } from '../report/schema/report.js';
import { type RopeSpec, stretchedWindow } from '../rope/registry.js';
import { compareWithBaseline } from './baseline.js';
import { changedSettings, changesBetween, identityChanges, rotateAlike } from './changes.js';
import { type Difference, differencesBetween, geometryKeys } from './differences.js';
import { type GateResult, judgeEquality, judgeReport, type VerdictInput } from './judge.js';
import { kvCacheGiB, type RopeSetting } from './metrics.js';
import { assertCanFail, formatRule, lengthsOf, type Policy } from './policy.js';
import type { Beside } from './pull-request.js';
import { type Advice, adviceFor, type Commands } from './words.js';

/** What the weights were trained with. */
export interface Trained {
  /** (groups) */
  readonly specs: readonly RopeSpec[];
  /** Tokens. */
  readonly window: number;
}

/**
 * The largest length, in tokens, that a config claims to serve: its position limit, or the window
 * that its scaling extends to if that is larger. A gate that stopped earlier would pass lengths
 * that it never measured.
 *
 * A trained-in extension is part of the trained window already, so only what goes beyond it counts.
 */
export function claimedLength(geometry: ModelGeometry, trained: Trained): number {
  const stretched = geometry.groups.flatMap(({ rope, span }, index) =>
    span.kind === 'global' ? [stretchedWindow(rope, trained.specs[index], trained.window)] : [],
  );
  return Math.round(Math.max(geometry.maxPositions, ...stretched));
}

interface LengthsRequest extends Pick<CheckRequest, 'target' | 'policy'> {
  readonly model: ModelGeometry;
  readonly trained: Trained;
  readonly configText: string;
}

/**
 * Decides how far a gate has to look: at least to the end of the trained window and to every length
 * in an active rule.
 *
 * @returns in tokens; `lengths`: further ones at which rules need the needle measured
 * @throws RopeEvalError `target_too_long`, which names the option, rule or config that asked for
 *   more than can be probed
 */
function checkLengths(request: LengthsRequest) {
  const { policy, trained } = request;
  const asked = askedLength(request);
  const rules = policy.rules.filter(({ level }) => level !== 'off');
  const ruled = rules.flatMap((rule) => {
    const lengths = lengthsOf(rule, { target: asked, trainedWindow: trained.window });
    for (const length of lengths) {
      assertWithinReach(length, trained.window, {
        place: {},
        what: `the rule '${formatRule(rule)}' asks about ${length} tokens`,
        hint: 'Loosen the rule, or switch it off.',
      });
    }
    return lengths;
  });
  const target = Math.max(asked, trained.window, ...ruled);
  const context = { target, trainedWindow: trained.window };
  return { target, lengths: rules.flatMap((rule) => lengthsOf(rule, context)) };
}

/** Takes the target from the command line, else from the policy, else from the config. */
function askedLength({ target, policy, model, trained, configText }: LengthsRequest): number {
  const most = MAX_MULTIPLE * trained.window;
  if (target !== undefined) {
    assertWithinReach(target, trained.window, {
      place: { option: 'target' },
      what: `${target} tokens`,
      hint: `Use a target of at most ${most}.`,
    });
    return target;
  }
  if (policy.target !== undefined) {
    assertWithinReach(policy.target, trained.window, {
      place: { file: policy.source, path: 'target' },
      what: `${policy.target} tokens`,
      hint: `Use a target of at most ${most}.`,
    });
    return policy.target;
  }
  const claimed = claimedLength(model, trained);
  const keys = geometryKeys(configText);
  const key = claimed > model.maxPositions ? keys.scaling : keys.window;
  assertWithinReach(claimed, trained.window, {
    place: { path: key },
    what: `the config claims ${claimed} tokens`,
    hint: words`Judge it at a shorter length with ${option('target')}, up to ${most}; or say with ${option('trainedWindow')} how long the weights were trained.`,
  });
  return claimed;
}

function assertWithinReach(
  tokens: number,
  window: number,
  asked: { readonly place: ErrorPlace; readonly what: string; readonly hint: Words },
): void {
  if (tokens <= MAX_MULTIPLE * window) return;
  throw new RopeEvalError('target_too_long', {
    ...asked.place,
    problem: `${asked.what}, more than ${MAX_MULTIPLE} times the trained window of ${window}, the most that can be probed`,
    hint: asked.hint,
  });
}

/** A config with its text, which gives the line numbers of keys, and its name for messages. */
export interface GateConfig {
  readonly text: string;
  readonly source: string;
  readonly read: ReadConfig;
}

export interface CheckRequest {
  readonly config: GateConfig;
  /** The config before the change. It gives the reference, and what did not change cannot fail. */
  readonly base?: GateConfig | undefined;
  /** Changed files other than the config that affect the model, such as its code. */
  readonly beside?: readonly Beside[];
  readonly policy: Policy;
  /** Tokens; undefined = the policy's target, or the largest length that the config claims. */
  readonly target: number | undefined;
  /** A saved report to compare the run with, cell by cell. */
  readonly baseline?: { readonly report: Report; readonly source: string } | undefined;
  /** Options that the user gave. They win over the policy. */
  readonly options: EvaluateOptions;
  /** Runs the probes on the config. */
  readonly evaluate: (options: EvaluateOptions) => Promise<Report>;
  /** Commands that reproduce the verdict, for the advice. @param target tokens */
  readonly commands: (target: number) => Commands;
  /** How advice spells options; default: as the API does. */
  readonly names?: OptionNames;
}

export interface CheckRun {
  /** null: nothing was measured, because at least one of the two configs does not use RoPE. */
  readonly report: Report | null;
  readonly result: GateResult;
  /** Labels that were judged. */
  readonly candidates: readonly string[];
  /** One for each rule of the result; undefined if it passed. */
  readonly advice: readonly (Advice | undefined)[];
}

/**
 * Runs the gate on one config: evaluates what the config says, then judges the measurements and
 * every difference from the config before the change.
 *
 * @throws RopeEvalError `bad_policy`, `not_rope`, `target_too_long`, and what `evaluate` throws
 */
export async function check(request: CheckRequest): Promise<CheckRun> {
  const { config, base, policy, baseline } = request;
  // A baseline can fail whatever the rules say.
  if (baseline === undefined) assertCanFail(policy);
  const without = base && withoutRope(request, base);
  if (without) return without;
  const now = sideOf(config);
  const before = base && sideOf(base);
  const { reference, evaluation } = evaluationOf(request, now, before ?? now);
  const report = await request.evaluate(evaluation);
  const labels = evaluation.candidates.map(({ label }) => label);
  const result = judgeReport({
    report,
    policy,
    candidates: labels,
    // An interrupted run has its own status and is not a regression.
    baseline:
      baseline && report.status === 'complete'
        ? compareWithBaseline(baseline.report, report, baseline.source, labels)
        : undefined,
    kvCacheGiB: (tokens) => kvCacheGiB(now.model, tokens),
    ...(before
      ? judgedChange(request, before, now, evaluation.candidates)
      : {
          findings: [...unjudged(now, undefined, request), ...ambiguities(undefined, now)],
          ambiguousReference: isAmbiguous(now.model, reference),
        }),
  });
  const changed = before ? changedSettings(before.model, now.model) : [];
  return { report, result, candidates: labels, advice: adviceOn(result, report, changed, request) };
}

/** Decides what is measured: by the user's options, else by the policy and the config. */
function evaluationOf(request: CheckRequest, now: Side, before: Side) {
  const { config, base, policy } = request;
  const options = { ...policyOptions(policy, before.model), ...request.options };
  const reference = referenceBefore(now.model, before.model, options);
  const lengths = checkLengths({
    target: request.target,
    policy,
    model: now.model,
    trained: {
      specs: referenceSpecs(now.model, before.model, reference),
      window: reference.trainedWindow,
    },
    configText: config.text,
  });
  const candidates = joinCandidates(policy.candidates.map(parseCandidates));
  const evaluation = { ...options, ...(base && { base: base.read }), candidates, ...lengths };
  return { reference, evaluation };
}

/** Finds what a change of the config means to the verdict. */
function judgedChange(
  request: CheckRequest,
  before: Side,
  now: Side,
  candidates: readonly CandidateDefinition[],
): Pick<VerdictInput, 'findings' | 'differences' | 'unchanged'> {
  const differences = differencesOf(before, now, request.policy);
  const own = candidates.filter(({ method }) => method === 'as-configured');
  return {
    findings: [
      ...changesBetween(before.model, now.model, geometryKeys(request.config.text)),
      ...unjudged(now, differences, request),
      ...ambiguities(before, now),
      ...respelt(before, now),
    ],
    differences,
    unchanged: {
      own: own.map(({ label }) => label),
      rotation: rotateAlike(before.model, now.model),
      window: before.model.maxPositions === now.model.maxPositions,
    },
  };
}

/** @returns one for each rule; undefined if it passed, or if the run was cut short */
function adviceOn(
  { rules }: GateResult,
  report: Report,
  changed: readonly RopeSetting[],
  { config, commands, names = PROGRAM_NAMES }: CheckRequest,
): readonly (Advice | undefined)[] {
  const context = {
    report,
    configText: config.text,
    source: config.source,
    changed,
    commands: commands(report.target.tokens),
    names,
  };
  return rules.map((rule) =>
    rule.outcome === 'pass' || report.status !== 'complete' ? undefined : adviceFor(rule, context),
  );
}

/**
 * Judges a change if one of the two configs does not use RoPE. No probe can measure such a model,
 * so every change fails unless it is harmless or allowed.
 *
 * @returns undefined if both use RoPE
 */
function withoutRope(request: CheckRequest, { read: was }: GateConfig): CheckRun | undefined {
  const { policy } = request;
  const { read: now } = request.config;
  if (!isNotRope(now.model) && !isNotRope(was.model)) return undefined;
  const differences = differencesOf(was, now, policy);
  const result = judgeEquality(policy, differences, [
    ...identityChanges(was.model, now.model),
    ...unjudged(now, differences, request),
    ...ambiguities(was, now),
  ]);
  return { report: null, result, candidates: [], advice: [] };
}

/** One side of a change that the probes can measure. */
interface Side extends ReadConfig {
  readonly model: ModelGeometry;
}

function sideOf({ read }: GateConfig): Side {
  return { ...read, model: requireRope(read.model) };
}

/**
 * The run options that the policy file sets. A policy's `reference` is ignored for a model without
 * a scaling, for which both readings are the same.
 *
 * @param before the model that gives the reference
 */
function policyOptions(policy: Policy, before: ModelGeometry): EvaluateOptions {
  const { preset, seed, samples, trainedWindow } = policy;
  const reference = hasScaling(before) ? policy.reference : undefined;
  return defined({ preset, seed, samples, reference, trainedWindow });
}

function differencesOf(
  before: ReadConfig,
  now: ReadConfig,
  { allow = [] }: Policy,
): readonly Difference[] {
  return differencesBetween(before.raw, now.raw, {
    partPath: now.model.partPath ?? '',
    defaults: classFields(now.model.modelType),
    rotates: !isNotRope(before.model) && !isNotRope(now.model),
    allow,
  });
}

/** Keys beyond this number are not listed one by one. */
const MOST_NAMED = 50;

/**
 * Finds what neither a probe nor a comparison judges: keys that nothing reads, code that ships with
 * the model, and unknown model types. The last two do not matter if every difference is harmless.
 */
function unjudged(
  read: ReadConfig,
  differences: readonly Difference[] | undefined,
  { policy: { allow = [] }, beside = [] }: CheckRequest,
): readonly Finding[] {
  return [...unjudgedKeys(read, differences, allow), ...unjudgedBeside(beside, allow)];
}

function unjudgedKeys(
  { raw, model }: ReadConfig,
  differences: readonly Difference[] | undefined,
  allow: readonly string[],
): readonly Finding[] {
  const open = (differences ?? []).filter(({ judgement }) => judgement === 'not-judged');
  const findings: Finding[] = open
    .slice(0, MOST_NAMED)
    .map(({ key, was, found }) => finding('not_judged', key, { was, found, why: 'unread' }));
  if (open.length > MOST_NAMED) {
    const left = `${open.length - MOST_NAMED} more`;
    findings.push(finding('not_judged', '', { was: left, found: left, why: 'too-many' }));
  }
  const matters = differences?.some(({ judgement }) => judgement !== 'harmless') ?? true;
  if (!matters) return findings;
  const named = (key: string): boolean =>
    allow.includes(key) || open.some((each) => each.key.split('.').includes(key));
  const same = { was: '', found: '' };
  if (holdsKey(raw, 'auto_map') && !named('auto_map')) {
    findings.push(finding('not_judged', 'auto_map', { ...same, why: 'remote-code' }));
  }
  const unknown = model.findings.some((each) => findingName(each) === 'unknown_model_type');
  if (unknown && !named('model_type')) {
    findings.push(finding('not_judged', 'model_type', { ...same, why: 'unknown-model-type' }));
  }
  return findings;
}

/** Finds other changed files of a pull request. No key of this config says what they do. */
function unjudgedBeside(beside: readonly Beside[], allow: readonly string[]): readonly Finding[] {
  return beside
    .filter(({ key, path }) => !allow.includes(key) && !allow.includes(path))
    .slice(0, MOST_NAMED)
    .map(({ key, path }) =>
      finding('not_judged', key, { was: '', found: path, why: 'file-beside' }),
    );
}

/** Finds keys of theta and scaling that a change replaced by a block only transformers 5 reads. */
function respelt(before: Side, now: Side): readonly Finding[] {
  const [old, part] = [before, now].map(({ raw, model: { partPath = '' } }) =>
    valueAt(raw, partPath === '' ? [] : partPath.split('.')),
  );
  if (!isRecord(old) || !isRecord(part)) return [];
  const given = (record: typeof part, key: string): boolean => (own(record, key) ?? null) !== null;
  if (given(old, BLOCK) || !given(part, BLOCK)) return [];
  const keys = OLD_KEYS.filter((key) => given(old, key) && !given(part, key));
  const path = [now.model.partPath, BLOCK].filter(Boolean).join('.');
  return keys.length === 0 ? [] : [finding('block_respelt', path, { keys })];
}

const BLOCK = 'rope_parameters';
const OLD_KEYS = ['rope_theta', 'rope_scaling'] as const;

/** Findings that two values contradict each other. They fail even an unchanged config. */
const CONTRADICTIONS: readonly FindingName[] = [
  'repeated_key',
  'two_blocks',
  'conflict',
  'part_not_read',
  'part_differs',
];

/** Findings that transformers ignores something that another program reads. */
const UNREAD: readonly FindingName[] = [
  'partial_ignored',
  'missing_rope_type',
  'type_not_applied',
  'unread_block',
  'misspelt_key',
  'encoder_differs',
  'class_fault',
  'block_missing',
];

/** Reports contradictions and unread keys, except those that the config had before the change. */
function ambiguities(before: ReadConfig | undefined, now: ReadConfig): readonly Finding[] {
  const names: readonly string[] = before ? [...CONTRADICTIONS, ...UNREAD] : CONTRADICTIONS;
  return now.model.findings
    .filter((found) => names.includes(findingName(found)))
    .filter((found) => !before?.model.findings.some((old) => sameValue(old, found)))
    .map(({ code, path }) => finding('ambiguous', path, { finding: code }));
}

/**
 * Whether the reference of a linear block without an original window is ambiguous: it may have been
 * trained in (DeepSeek Coder) or added yesterday, and nothing in the file says which.
 */
function isAmbiguous(model: ModelGeometry, reference: Reference): boolean {
  return (
    reference.evidence === 'overlay' &&
    reference.alternative !== undefined &&
    model.originalMaxPositions === undefined &&
    model.groups.some(({ rope }) => rope.type === 'linear')
  );
}
