import { resolve } from 'node:path';
import { joinCandidates, parseCandidates } from '../../candidates/index.js';
import { chooseReference, referenceSpecs } from '../../config/reference.js';
import { RopeEvalError } from '../../errors.js';
import type { EvaluateOptions } from '../../evaluate-types.js';
import { adviceFor, type Advice } from '../../gate/advice.js';
import { compareWithBaseline, parseReport, type BaselineResult } from '../../gate/baseline.js';
import { changesBetween } from '../../gate/changes.js';
import { unchangedBetween } from '../../gate/excused.js';
import { geometryKeys } from '../../gate/culprit.js';
import { kvCacheGiB } from '../../gate/kv-cache.js';
import type { Policy } from '../../gate/policy.js';
import { judgeReport, type GateResult } from '../../gate/verdict.js';
import type { Report } from '../../report/schema.js';
import type { Environment } from '../environment.js';
import { loadConfig, type LoadedConfig } from '../load-config.js';
import { readRopeGeometry } from '../read-geometry.js';
import { runEvaluation } from '../run-evaluation.js';
import type { WatchSettings } from '../watched.js';
import { checkLengths } from './check-lengths.js';
import { readTextFile } from './read-text.js';

export interface CheckRequest {
  readonly config: LoadedConfig;
  readonly policy: Policy;
  /** Tokens; undefined = the policy's, or the largest that the config claims. */
  readonly target: number | undefined;
  /** Path of the config before the change. */
  readonly base: string | undefined;
  /** Path of a saved report. */
  readonly baseline: string | undefined;
  readonly updateBaseline: boolean;
  /** What the command line says; wins over the policy. */
  readonly options: EvaluateOptions;
}

export interface CheckRun {
  readonly report: Report;
  readonly result: GateResult;
  /** Labels that were judged. */
  readonly candidates: readonly string[];
  /** One per rule of the result; undefined where it passed. */
  readonly advice: readonly (Advice | undefined)[];
}

/** Evaluates what the config says and judges it. */
export async function runCheck(
  request: CheckRequest,
  environment: Environment,
  settings: WatchSettings,
): Promise<CheckRun> {
  const { config, policy } = request;
  const base = request.base === undefined ? undefined : await loadConfig(request.base, environment);
  // Before the probes: a baseline that cannot be read should not cost a run.
  const baseline = await loadBaseline(request, environment);
  const options = { ...policyOptions(policy), ...request.options };
  const { model } = await readRopeGeometry(config, {});
  const before = base && (await readRopeGeometry(base, {})).model;
  const reference = chooseReference(before ?? model, options);
  const trained = {
    specs: referenceSpecs(model, before ?? model, reference),
    window: reference.trainedWindow,
  };
  const { target, lengths } = checkLengths({
    target: request.target,
    policy,
    model,
    trained,
    configText: config.text,
  });
  const candidates = joinCandidates(policy.candidates.map(parseCandidates));
  const report = await runEvaluation(
    environment,
    config,
    {
      ...options,
      ...(base ? { base: base.text } : {}),
      candidates,
      target,
      lengths,
    },
    settings,
  );
  const labels = candidates.map(({ label }) => label);
  const own = candidates.filter(({ method }) => method === 'as-configured');
  const result = judgeReport({
    report,
    policy,
    candidates: labels,
    findings: before ? changesBetween(before, model, geometryKeys(config.text)) : [],
    ...compared(baseline, report, labels),
    ...(before
      ? {
          unchanged: unchangedBetween(
            before,
            model,
            own.map(({ label }) => label),
          ),
        }
      : {}),
    kvCacheGiB: (tokens) => kvCacheGiB(model, tokens),
  });
  return {
    report,
    result,
    candidates: labels,
    advice: result.rules.map((rule) =>
      rule.outcome === 'pass' || report.status !== 'complete'
        ? undefined
        : adviceFor(rule, report, config.text, config.source),
    ),
  };
}

/** What the policy file says about the run. */
function policyOptions(policy: Policy): EvaluateOptions {
  const { preset, seed, samples, reference, trainedWindow } = policy;
  return {
    ...(preset === undefined ? {} : { preset }),
    ...(seed === undefined ? {} : { seed }),
    ...(samples === undefined ? {} : { samples }),
    ...(reference === undefined ? {} : { reference }),
    ...(trainedWindow === undefined ? {} : { trainedWindow }),
  };
}

interface LoadedBaseline {
  readonly report: Report;
  readonly source: string;
}

async function loadBaseline(
  { baseline, updateBaseline }: CheckRequest,
  environment: Environment,
): Promise<LoadedBaseline | undefined> {
  if (updateBaseline && baseline === undefined) {
    throw new RopeEvalError(
      '--update-baseline needs to know which: no --baseline is given, and none in the policy',
      2,
      'usage',
      '--update-baseline',
    );
  }
  // An update replaces it, so that what it said no longer counts.
  if (baseline === undefined || updateBaseline) return undefined;
  const text = await readTextFile(resolve(environment.cwd, baseline), environment);
  if (text !== undefined) return { report: parseReport(text, baseline), source: baseline };
  throw new RopeEvalError(
    `no such baseline: ${baseline}`,
    2,
    'missing_file',
    '--baseline',
    'Make it from this run with --update-baseline.',
  );
}

function compared(
  baseline: LoadedBaseline | undefined,
  report: Report,
  labels: readonly string[],
): { readonly baseline?: BaselineResult } {
  // An interrupted run has its own status; it is no regression.
  if (!baseline || report.status !== 'complete') return {};
  return { baseline: compareWithBaseline(baseline.report, report, baseline.source, labels) };
}
