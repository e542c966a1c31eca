import { resolve } from 'node:path';
import { joinCandidates, parseCandidates } from '../candidates/parse.js';
import { option, RopeEvalError, words } from '../errors.js';
import { type Advice, adviceFor, geometryKeys } from '../gate/advice.js';
import { type BaselineResult, compareWithBaseline, parseReport } from '../gate/baseline.js';
import { changesBetween } from '../gate/changes.js';
import { type GateResult, judgeReport, unchangedBetween } from '../gate/judge.js';
import { checkLengths } from '../gate/lengths.js';
import { kvCacheGiB } from '../gate/metrics.js';
import type { Policy } from '../gate/policy.js';
import { chooseReference, referenceSpecs } from '../model/reference.js';
import type { EvaluateOptions } from '../options.js';
import { json } from '../report/forms/json.js';
import type { Report } from '../report/schema/report.js';
import type { Environment } from './environment.js';
import { outputsOf, protectInputs, writeReport } from './files.js';
import { loadConfig, type LoadedConfig, readTextFile } from './inputs.js';
import { readConfigOf, readRopeGeometry } from './model.js';
import { runEvaluation, type WatchSettings } from './run.js';

/** The files of one `check`, as given. */
export interface CheckFiles {
  readonly config: string | undefined;
  readonly base: string | undefined;
  readonly policy: string | undefined;
  readonly baseline: string | undefined;
  readonly output: readonly string[] | undefined;
  readonly updateBaseline: boolean;
}

/** A baseline is an input until it is to be updated; then it is written, and never over a config. */
export async function protectCheck(files: CheckFiles, environment: Environment): Promise<void> {
  const { config, base, policy, baseline, updateBaseline } = files;
  const inputs = [
    { name: 'the config', path: config },
    { name: 'the config of --base', path: base },
    { name: 'the policy', path: policy },
  ];
  const outputs = outputsOf(files.output);
  if (updateBaseline) outputs.push({ name: '--baseline', path: baseline });
  else inputs.push({ name: 'the baseline', path: baseline });
  await protectInputs(outputs, inputs, environment);
}

/** Writes a run's report to the baseline; one that did not finish replaces nothing. */
export async function updateBaseline(
  path: string,
  report: Report,
  environment: Environment,
  notices: boolean,
): Promise<void> {
  if (report.status !== 'complete') {
    environment.stderr.write(`${path} is left as it was: the run is ${report.status}\n`);
    return;
  }
  const context = { color: false, columns: 100, plots: false };
  await writeReport(resolve(environment.cwd, path), json(report, context));
  if (notices) environment.stderr.write(`baseline written to ${path}\n`);
}

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
      ...(base ? { base: await readConfigOf(base) } : {}),
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
    throw new RopeEvalError('usage', {
      option: 'updateBaseline',
      predicate: words`needs to know which: no ${option('baseline')} is given, and none in the policy`,
    });
  }
  // An update replaces it, so that what it said no longer counts.
  if (baseline === undefined || updateBaseline) return undefined;
  const text = await readTextFile(resolve(environment.cwd, baseline), environment);
  if (text !== undefined) return { report: parseReport(text, baseline), source: baseline };
  throw new RopeEvalError('missing_file', {
    option: 'baseline',
    problem: `no such file: ${baseline}`,
    hint: words`Make it from this run with ${option('updateBaseline')}.`,
  });
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
