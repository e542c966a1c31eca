import { resolve } from 'node:path';
import { option, RopeEvalError, words } from '../errors.js';
import { parseReport } from '../gate/baseline.js';
import { check, type CheckRun } from '../gate/check.js';
import { CHECK_SCHEMA_VERSION } from '../gate/judge.js';
import { type Policy, withOverrides } from '../gate/policy.js';
import type { Beside } from '../gate/pull-request.js';
import { type Commands, gateOutcome } from '../gate/words.js';
import { paint } from '../report/format.js';
import { json } from '../report/forms/json.js';
import { defined } from '../json/parse.js';
import type { Report } from '../report/schema/report.js';
import { quote } from '../text.js';
import type { Environment } from './environment.js';
import { FLAG_NAMES, flagOf, noEffect } from './failure.js';
import {
  type Output,
  outputsOf,
  prepareOutputs,
  protectInputs,
  writeOutputs,
  writeReport,
} from './files.js';
import { checkAnswer, checkDetails, mergeAdvice } from './gate-text.js';
import { annotate, gateAnnotations, onGitHub, writeStepSummary } from './github.js';
import {
  type BaseConfig,
  loadBase,
  loadConfig,
  type LoadedConfig,
  readTextFile,
} from './inputs.js';
import { readBaseOf, readConfigOf } from './model.js';
import {
  type CheckFlags,
  evaluationOptions,
  type ModelFlags,
  modelOptions,
  flagWords,
  modelWords,
  type OutputFlags,
  referenceOptions,
} from './options.js';
import { assertTrusted, loadPolicy } from './policy.js';
import { finish, runEvaluation, watchFor } from './run.js';

/** One config to judge, with everything that was loaded for it. */
export interface CheckInput {
  readonly config: LoadedConfig;
  readonly base: BaseConfig | undefined;
  /** Changed files other than the config that affect the model. */
  readonly beside?: readonly Beside[];
  readonly policy: Policy;
  /** The policy as a shell argument; undefined for the default one. */
  readonly policyArgument: string | undefined;
  readonly baseline: LoadedBaseline | undefined;
}

export interface FileCheckFlags extends CheckFlags, ModelFlags, OutputFlags {
  readonly policy?: string;
  readonly base?: string;
  readonly baseline?: string;
  readonly updateBaseline?: boolean;
  readonly trustCheckout?: boolean;
}

/** Judges the config that the command line names. @returns the exit code */
export async function checkFile(
  argument: string,
  flags: FileCheckFlags,
  environment: Environment,
): Promise<number> {
  const config = await loadConfig(argument, environment);
  const { policy, file, baseline: own } = await loadPolicy(flags.policy, environment);
  const baseline = flags.baseline ?? own;
  if (!flags.trustCheckout)
    await assertTrusted({ policy: file, baseline, base: flags.base }, environment);
  // A baseline is an input unless it is to be updated; it is then an output that must not overwrite
  // a config.
  const compared = flags.updateBaseline ? undefined : baseline;
  const replaced = flags.updateBaseline ? baseline : undefined;
  await protectInputs(
    [...outputsOf(flags.output), { name: flagOf('baseline'), path: replaced }],
    [
      { name: 'the config', path: config.file },
      { name: `the config of ${flagOf('base')}`, path: flags.base },
      { name: 'the policy', path: file },
      { name: 'the baseline', path: compared },
    ],
    environment,
  );
  const outputs = await prepareOutputs(flags.output ?? [], environment);
  const base = await loadBase(flags.base, environment);
  if (flags.updateBaseline && baseline === undefined) {
    throw new RopeEvalError('usage', {
      option: 'updateBaseline',
      predicate: words`needs to know which: no ${option('baseline')} is given, and none in the policy`,
    });
  }
  const input = {
    config,
    base,
    policy,
    policyArgument: file && quote(file),
    baseline: compared === undefined ? undefined : await loadBaseline(compared, environment),
  };
  const run = await judgeConfig(input, flags, outputs, environment);
  if (replaced !== undefined) await updateBaseline(replaced, run.report, flags, environment);
  return run.result.exitCode;
}

/** Judges one config, prints the result and writes the files that `-o` names. @returns the run */
export async function judgeConfig(
  input: CheckInput,
  flags: CheckFlags & ModelFlags & OutputFlags,
  outputs: readonly Output[],
  environment: Environment,
): Promise<CheckRun> {
  if (flags.details && flags.json) {
    const hint = 'Leave one of them out.';
    throw noEffect('details', words`beside ${option('json')}`, { hint });
  }
  const { config, base, baseline, beside = [] } = input;
  const run = await check({
    config: { ...config, read: await readConfigOf(config) },
    base: base && { ...base, read: await readBaseOf(base) },
    beside,
    policy: withFlags(input.policy, flags),
    target: flags.target,
    baseline,
    options: {
      ...evaluationOptions(flags),
      ...referenceOptions(flags),
      ...(await modelOptions(flags, environment)),
    },
    // Early stopping is off, because a rule may be about any cell, even of a candidate that is
    // clearly out.
    evaluate: (options) =>
      runEvaluation(environment, config, { ...options, stopEarly: false }, watchFor(flags)),
    commands: (target) => commandsFor(input, flags, target),
    names: FLAG_NAMES,
  });
  if (run.report)
    await writeOutputs(outputs, run.report, { gate: gateOutcome(run.result, FLAG_NAMES) });
  else if (outputs.length > 0)
    environment.stderr.write('nothing was measured: no report is written\n');
  await print(run, input, flags, environment);
  if (run.report) finish(run.report, { flags, resumable: false }, environment);
  return run;
}

function withFlags(
  policy: Policy,
  { rule, warn, candidates, severity, allow }: CheckFlags,
): Policy {
  const overrides = { rules: rule, warnings: warn, candidates, severities: severity, allow };
  return withOverrides(policy, defined(overrides));
}

/**
 * Makes the commands that reproduce a verdict. They spell out everything that it depends on.
 *
 * @param target tokens; undefined = the default of each command
 */
function commandsFor(
  { config, base, policy, policyArgument }: CheckInput,
  flags: CheckFlags & ModelFlags,
  target: number | undefined,
): Commands {
  const options = { ...policy, ...evaluationOptions(flags), ...referenceOptions(flags) };
  /** @param value quoted already; undefined if the option is not given */
  const word = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${flagOf(name)} ${value}`];
  const measured = (samples: number | undefined): string[] => [
    ...word('base', base?.argument),
    ...flagWords('target', target),
    ...flagWords('preset', options.preset),
    ...flagWords('seed', options.seed),
    ...flagWords('samples', samples),
    ...flagWords('reference', options.reference),
    ...flagWords('trainedWindow', options.trainedWindow),
    ...modelWords(flags),
  ];
  const source = quote(config.source);
  const judged = [
    ...word('policy', policyArgument),
    ...(['rule', 'warn', 'severity', 'candidates', 'allow'] as const).flatMap((name) =>
      (flags[name] ?? []).flatMap((value) => flagWords(name, value)),
    ),
  ];
  const check = (options: readonly string[]): string =>
    ['rope-eval check', source, ...options, ...judged].join(' ');
  return {
    compare: ['rope-eval', source, ...measured(options.samples)].join(' '),
    again: (samples) => check(measured(samples)),
    alone: (own) =>
      check([
        ...(own === 'scaled' ? flagWords('reference', 'configured') : []),
        ...flagWords('target', flags.target),
        ...flagWords('preset', flags.preset),
        ...flagWords('seed', flags.seed),
        ...flagWords('samples', flags.samples),
        ...modelWords(flags),
      ]),
  };
}

async function print(
  run: CheckRun,
  input: CheckInput,
  flags: CheckFlags & OutputFlags,
  environment: Environment,
): Promise<void> {
  const { stdout, stderr } = environment;
  const { config, base } = input;
  const { result, report, candidates } = run;
  if (flags.json) {
    const named = { schemaVersion: CHECK_SCHEMA_VERSION, ...result, base: base?.source ?? null };
    stdout.json({ ...named, report });
  } else {
    const draw = flags.details ? checkDetails : checkAnswer;
    const text = draw({
      result,
      report,
      source: config.source,
      candidates,
      base: base?.source,
      // Warnings alone do not call for a change.
      advice: mergeAdvice(
        run.advice.filter((_, i) => flags.details || result.rules[i]?.level === 'error'),
      ),
      further: commandsFor(input, flags, undefined).compare,
      columns: stdout.columns,
      paint: paint(stdout.isLively),
    });
    stdout.write(text);
  }
  if (!onGitHub(environment)) return;
  // The runner reads workflow commands from both streams, but with --json stdout is reserved for
  // JSON.
  annotate(gateAnnotations(run, config, environment), flags.json ? stderr : stdout);
  if (report) await writeStepSummary(report, result, environment);
}

/** Writes a run's report to the baseline. A run that did not finish replaces nothing. */
async function updateBaseline(
  path: string,
  report: Report | null,
  { quiet }: OutputFlags,
  environment: Environment,
): Promise<void> {
  if (report?.status !== 'complete') {
    const why = report === null ? 'nothing was measured' : `the run is ${report.status}`;
    environment.stderr.write(`${path} is left as it was: ${why}\n`);
    return;
  }
  const context = { color: false, columns: 100, plots: false };
  await writeReport(resolve(environment.cwd, path), json(report, context));
  if (!quiet) environment.stderr.write(`baseline written to ${path}\n`);
}

/** A saved report to compare with, and its path for messages. */
export interface LoadedBaseline {
  readonly report: Report;
  readonly source: string;
}

/** Reads the baseline before the probes run, so that an unreadable one does not cost a run. */
async function loadBaseline(path: string, environment: Environment): Promise<LoadedBaseline> {
  const text = await readTextFile(resolve(environment.cwd, path), environment);
  if (text !== undefined) return { report: parseReport(text, path), source: path };
  throw new RopeEvalError('missing_file', {
    option: 'baseline',
    problem: `no such file: ${path}`,
    hint: words`Make it from this run with ${option('updateBaseline')}.`,
  });
}
