import { resolve } from 'node:path';
import { option, RopeEvalError, words } from '../errors.js';
import { wordFinding } from '../findings/index.js';
import { parseReport } from '../gate/baseline.js';
import { check, type CheckRun } from '../gate/check.js';
import { CHECK_SCHEMA_VERSION, type GateResult, type RuleResult } from '../gate/judge.js';
import { type Policy, withOverrides } from '../gate/policy.js';
import type { Beside } from '../gate/pull-request.js';
import {
  type Advice,
  type AdviceContext,
  baselineWords,
  cellMessage,
  gateOutcome,
  ruleMessage,
  ruleSubject,
  verdictLine,
} from '../gate/words.js';
import { list, paint, type Paint, printable, tokens } from '../report/format.js';
import { json } from '../report/forms/json.js';
import { rangeText, scaleWords, shortCostOnModels } from '../report/real-models.js';
import type { Report } from '../report/schema/report.js';
import { honestyWords, referenceWords, subjectWords } from '../report/sections/conditions.js';
import { recomputedOnly } from '../report/sections/serving.js';
import { fill } from '../report/terminal.js';
import { quote } from '../shell.js';
import type { Environment } from './environment.js';
import { FLAG_NAMES, flagOf } from './failure.js';
import { type Output, writeOutputs, writeReport } from './files.js';
import { gateAnnotations, onGitHub, writeStepSummary } from './github.js';
import { type LoadedConfig, readTextFile } from './inputs.js';
import { readConfigOf } from './model.js';
import {
  type CheckFlags,
  type ModelFlags,
  evaluationOptions,
  modelOptions,
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

/** Makes the commands that reproduce a verdict. They spell out everything that it depends on. */
function commandsFor(
  { config, base, policy, policyArgument }: CheckInput,
  flags: CheckFlags & ModelFlags,
  target: number,
): AdviceContext['commands'] {
  const options = { ...policy, ...evaluationOptions(flags), ...referenceOptions(flags) };
  /** @param value quoted already; undefined if the option is not given */
  const word = (name: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${flagOf(name)} ${value}`];
  const flag = (name: string, value: string | number | undefined): string[] =>
    word(name, value === undefined ? undefined : quote(String(value)));
  const list = (name: string, values: readonly string[] = []): string[] =>
    values.flatMap((value) => flag(name, value));
  const measured = (samples: number | undefined): string[] => [
    ...word('base', base?.argument),
    ...flag('target', target),
    ...flag('preset', options.preset),
    ...flag('seed', options.seed),
    ...flag('samples', samples),
    ...flag('reference', options.reference),
    ...flag('trainedWindow', options.trainedWindow),
    ...modelWords(flags),
  ];
  const source = quote(config.source);
  return {
    compare: ['rope-eval', source, ...measured(options.samples)].join(' '),
    again: (samples) =>
      [
        'rope-eval check',
        source,
        ...measured(samples),
        ...word('policy', policyArgument),
        ...list('rule', flags.rule),
        ...list('warn', flags.warn),
        ...list('severity', flags.severity),
        ...list('candidates', flags.candidates),
        ...list('allow', flags.allow),
      ].join(' '),
  };
}

async function print(
  run: CheckRun,
  { config, base }: CheckInput,
  flags: OutputFlags,
  environment: Environment,
): Promise<void> {
  const { stdout, stderr } = environment;
  const { result, report, candidates } = run;
  if (flags.json) {
    const named = { schemaVersion: CHECK_SCHEMA_VERSION, ...result, base: base?.source ?? null };
    stdout.json({ ...named, report });
  } else {
    const advice = [...new Map(run.advice.map((each) => [each?.text, each])).values()];
    const text = {
      result,
      report,
      source: config.source,
      candidates,
      base: base?.source,
      columns: stdout.columns,
      advice: advice.filter((each) => each !== undefined),
    };
    stdout.write(checkText(text, paint(stdout.isLively)));
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

/** The inputs of `checkText`. */
export interface CheckText {
  readonly result: GateResult;
  /** null: nothing was measured. */
  readonly report: Report | null;
  /** The config's path, as the user wrote it. */
  readonly source: string;
  readonly candidates: readonly string[];
  /** The config that gave the reference, if it is another one. */
  readonly base: string | undefined;
  readonly advice: readonly Advice[];
  /** Width in characters. */
  readonly columns: number;
}

/** Draws the gate's result for people: the verdict, what to change and where, then every rule. */
export function checkText(input: CheckText, paint: Paint): string {
  const { result, report, source, candidates, base, advice, columns } = input;
  const filled = (text: string, indent = ''): string => `${indent}${fill(text, columns, indent)}`;
  const policy = result.policy === 'default' ? 'the default policy' : result.policy;
  const what =
    result.target === null
      ? 'compared key by key'
      : `${list(candidates.map(printable))} at ${tokens(result.target)} tokens`;
  const head = `Gate on ${printable(report?.config.source ?? source)}: ${what}, by ${printable(policy)}`;
  const findings = findingLines(result, columns, paint);
  // Findings that fail the gate are printed above what passed.
  const failing = result.findings.some(({ level }) => level === 'error');
  const blocks = [
    [painted(filled(verdictLine(result)), result, paint)],
    advice.length > 0
      ? [paint.bold('What to change'), ...advice.map(({ text }) => filled(printable(text), '  '))]
      : [],
    failing ? findings : [],
    [paint.bold(filled(head)), ...result.rules.map((rule) => ruleLines(rule, columns, paint))],
    failing ? [] : findings,
    baselineLines(result, columns, paint),
    [
      ...(base === undefined ? [] : [`The reference is ${printable(base)}.`]),
      ...(report === null
        ? [WITHOUT_ROPE]
        : [
            ...servingWords(report, candidates),
            ...referenceWords(report),
            subjectWords(report),
            ...costWords(report, result, candidates),
            honestyWords(report),
          ]),
    ].map((line) => filled(line)),
  ];
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${shown.join('\n\n')}\n`;
}

const WITHOUT_ROPE =
  'No probe stands for a model without RoPE: what is unchanged or harmless passes, and every other change fails.';

/** Says where a dynamic scaling that was judged behaves differently from what was measured. */
function servingWords(report: Report, judged: readonly string[]): string[] {
  return judged.flatMap((label) => {
    const words = recomputedOnly(
      report.candidates.find((each) => each.label === label),
      report,
    );
    return words === '' ? [] : [`${printable(label)}: ${words}`];
  });
}

/** Says whose nats the rules on short losses are about, and what real models lose there. */
function costWords(report: Report, { rules }: GateResult, judged: readonly string[]): string[] {
  if (!rules.some(({ metric }) => metric === 'short.lossChange')) return [];
  const ranges = report.candidates.flatMap((candidate) => {
    const range = judged.includes(candidate.label)
      ? rangeText(shortCostOnModels(report, candidate))
      : '';
    return range === '' ? [] : [`${printable(candidate.label)}: ${range}, in nats.`];
  });
  return [scaleWords(report), ...ranges].filter((words) => words !== '');
}

/** Indents text to stand beside `pass` or `FAIL`. */
const UNDER_MARK = ' '.repeat(8);

function ruleLines(rule: RuleResult, columns: number, paint: Paint): string {
  const passed = rule.outcome === 'pass';
  const mark = passed
    ? paint.green('pass')
    : rule.level === 'warn'
      ? paint.yellow('warn')
      : paint.red(rule.outcome === 'fail' ? 'FAIL' : '????');
  const subject = fill(printable(ruleSubject(rule)), columns, UNDER_MARK);
  return `  ${mark}  ${subject}\n${UNDER_MARK}${fill(ruleMessage(rule, FLAG_NAMES), columns, UNDER_MARK)}`;
}

function findingLines({ findings }: GateResult, columns: number, paint: Paint): string[] {
  if (findings.length === 0) return [];
  return [
    paint.bold('Findings'),
    ...findings.map((finding) => {
      const color = finding.level === 'error' ? paint.red : paint.yellow;
      const indent = ' '.repeat(finding.level.length + 4);
      const words = `${finding.code} ${printable(wordFinding(finding))}`;
      return `  ${color(finding.level)}  ${fill(words, columns, indent)}`;
    }),
  ];
}

function baselineLines({ baseline }: GateResult, columns: number, paint: Paint): string[] {
  if (!baseline) return [];
  const failed = (words: string): string =>
    `  ${paint.red('FAIL')}  ${fill(words, columns, UNDER_MARK)}`;
  return [
    paint.bold(fill(baselineWords(baseline), columns, '')),
    ...baseline.cells
      .filter((cell) => cell.outcome === 'regressed')
      .map((cell) => failed(`${cell.candidate} ${cell.cell}: ${cellMessage(cell)}`)),
    ...baseline.missing.map(({ candidate, cell }) =>
      failed(`${candidate} ${cell}: not measured in this run`),
    ),
  ];
}

function painted(text: string, result: GateResult, paint: Paint): string {
  return result.exitCode === 0 ? paint.boldGreen(text) : paint.boldRed(text);
}
