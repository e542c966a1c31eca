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
import type { Report } from '../report/schema/report.js';
import { quote } from '../text.js';
import type { Environment } from './environment.js';
import { FLAG_NAMES, flagOf } from './failure.js';
import { type Output, writeOutputs, writeReport } from './files.js';
import { checkAnswer, checkDetails, mergeAdvice } from './gate-text.js';
import { gateAnnotations, onGitHub, writeStepSummary } from './github.js';
import { type LoadedConfig, readTextFile } from './inputs.js';
import { readConfigOf } from './model.js';
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
import { finish, keptBy, runEvaluation } from './run.js';

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

/** The config before a change. It may be an object of git. */
export interface BaseConfig extends LoadedConfig {
  /** The config as a shell argument. */
  readonly argument: string;
}

/** Judges one config, prints the result and writes the files that `-o` names. @returns the run */
export async function judgeConfig(
  input: CheckInput,
  flags: CheckFlags & ModelFlags & OutputFlags,
  outputs: readonly Output[],
  environment: Environment,
): Promise<CheckRun> {
  if (flags.details && flags.json) {
    throw new RopeEvalError('no_effect', {
      option: 'details',
      predicate: words`has no effect beside ${option('json')}`,
      hint: 'Leave one of them out.',
    });
  }
  const { config, base, baseline } = input;
  const quiet = flags.quiet === true;
  const watch = { progress: !quiet && !flags.json, notices: !quiet, keeps: keptBy(flags) };
  const policy = withFlags(input.policy, flags);
  const run = await check({
    config: { ...config, read: await readConfigOf(config) },
    base: base && {
      ...base,
      read: { ...(await readConfigOf(base)), argument: base.argument },
    },
    beside: input.beside ?? [],
    policy,
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
      runEvaluation(environment, config, { ...options, stopEarly: false }, watch),
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
  return withOverrides(policy, {
    ...(rule ? { rules: rule } : {}),
    ...(warn ? { warnings: warn } : {}),
    ...(candidates ? { candidates } : {}),
    ...(severity ? { severities: severity } : {}),
    ...(allow ? { allow } : {}),
  });
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
  const list = (name: string, values: readonly string[] = []): string[] =>
    values.flatMap((value) => flagWords(name, value));
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
    ...list('rule', flags.rule),
    ...list('warn', flags.warn),
    ...list('severity', flags.severity),
    ...list('candidates', flags.candidates),
    ...list('allow', flags.allow),
  ];
  return {
    compare: ['rope-eval', source, ...measured(options.samples)].join(' '),
    again: (samples) => ['rope-eval check', source, ...measured(samples), ...judged].join(' '),
    alone: (scaled) =>
      [
        'rope-eval check',
        source,
        ...(scaled ? flagWords('reference', 'configured') : []),
        ...flagWords('target', flags.target),
        ...flagWords('preset', flags.preset),
        ...flagWords('seed', flags.seed),
        ...flagWords('samples', flags.samples),
        ...modelWords(flags),
        ...judged,
      ].join(' '),
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
    const text = {
      result,
      report,
      source: config.source,
      candidates,
      base: base?.source,
      columns: stdout.columns,
      // Warnings alone do not call for a change.
      advice: mergeAdvice(
        run.advice.filter((_, i) => flags.details || result.rules[i]?.level === 'error'),
      ),
      further: commandsFor(input, flags, undefined).compare,
    };
    const draw = flags.details ? checkDetails : checkAnswer;
    stdout.write(draw(text, paint(stdout.isLively)));
  }
  if (!onGitHub(environment)) return;
  // The runner reads workflow commands from both streams, but with --json stdout is reserved for
  // JSON.
  const stream = flags.json ? stderr : stdout;
  for (const { severity, title, message, file, line } of gateAnnotations(
    result,
    config,
    (index) => run.advice[index],
    environment,
  )) {
    stream.command(severity, { file, line, title }, message);
  }
  if (report) await writeStepSummary(report, result, environment);
}

/** Writes a run's report to the baseline. A run that did not finish replaces nothing. */
export async function updateBaseline(
  path: string,
  report: Report | null,
  environment: Environment,
  notices: boolean,
): Promise<void> {
  if (report?.status !== 'complete') {
    const why = report === null ? 'nothing was measured' : `the run is ${report.status}`;
    environment.stderr.write(`${path} is left as it was: ${why}\n`);
    return;
  }
  const context = { color: false, columns: 100, plots: false };
  await writeReport(resolve(environment.cwd, path), json(report, context));
  if (notices) environment.stderr.write(`baseline written to ${path}\n`);
}

/** A saved report to compare with, and its path for messages. */
export interface LoadedBaseline {
  readonly report: Report;
  readonly source: string;
}

/**
 * Reads the baseline before the probes run, so that an unreadable one does not cost a run.
 *
 * @param path undefined = no baseline
 * @param replaced whether the run will replace the baseline
 * @returns undefined if there is nothing to compare with: no baseline, or one that will be replaced
 */
export async function loadBaseline(
  path: string | undefined,
  replaced: boolean,
  environment: Environment,
): Promise<LoadedBaseline | undefined> {
  if (replaced && path === undefined) {
    throw new RopeEvalError('usage', {
      option: 'updateBaseline',
      predicate: words`needs to know which: no ${option('baseline')} is given, and none in the policy`,
    });
  }
  // An update replaces the baseline, so its contents no longer matter.
  if (path === undefined || replaced) return undefined;
  const text = await readTextFile(resolve(environment.cwd, path), environment);
  if (text !== undefined) return { report: parseReport(text, path), source: path };
  throw new RopeEvalError('missing_file', {
    option: 'baseline',
    problem: `no such file: ${path}`,
    hint: words`Make it from this run with ${option('updateBaseline')}.`,
  });
}
