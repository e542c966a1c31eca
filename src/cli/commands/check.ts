import type { CheckRun } from '../check.js';
import type { CommandModule } from '../command.js';
import type { Environment } from '../environment.js';
import type { LoadedConfig } from '../inputs.js';
import {
  addEvaluationOptions,
  addOutputOptions,
  addReferenceOptions,
  collect,
  type EvaluationFlags,
  evaluationOptions,
  type OutputFlags,
  type ReferenceFlags,
  referenceOptions,
  tokensFor,
} from '../options.js';
import { paint } from '../../report/paint.js';

interface Flags extends EvaluationFlags, ReferenceFlags, OutputFlags {
  readonly policy?: string;
  readonly rule?: readonly string[];
  readonly warn?: readonly string[];
  readonly severity?: readonly string[];
  readonly candidates?: readonly string[];
  readonly target?: number;
  readonly base?: string;
  readonly baseline?: string;
  readonly updateBaseline?: boolean;
}

export const checkCommand: CommandModule = (program, { environment, exitWith }) => {
  const command = program
    .command('check')
    .description(
      'the gate for CI: evaluates what a config says, judges it by a policy, and says so with ' +
        'its exit code',
    )
    .argument('<config>', 'a config.json, a folder that holds one, or - for standard input')
    .option(
      '--policy <file>',
      'policy to judge by; default: rope-eval.config.json or the key rope-eval of package.json ' +
        'in the working directory, else a built-in one',
    )
    .option(
      '--rule <rule>',
      "adds an error rule, such as 'needle@128k >= 0.8'; replaces the policy's rule on the same " +
        'metric, length and candidate; may be given again',
      collect,
    )
    .option('--warn <rule>', 'the same, as a warning that does not fail the gate', collect)
    .option(
      '--severity <code=level>',
      'what a finding counts as: RE012=error, =warn or =off; wins over the policy; may be given again',
      collect,
    )
    .option(
      '--candidates <list>',
      'what is judged; default: the policy’s, else as-configured',
      collect,
    )
    .option(
      '--target <tokens>',
      'length to judge at, at least the trained window and the longest in a rule; default: the ' +
        'policy’s, else the largest that the config claims',
      tokensFor('target'),
    )
    .option(
      '--base <config>',
      'the config before the change: gives the reference, what changed is reported, and what did ' +
        'not change cannot fail',
    )
    .option(
      '--baseline <report>',
      'a saved report; fails if any cell got worse, and exits with 3 if they are not comparable',
    )
    .option('--update-baseline', 'write this run’s report to the baseline instead of comparing');
  addEvaluationOptions(command);
  addReferenceOptions(command);
  addOutputOptions(command, 'the result').action(async (argument: string, flags: Flags) => {
    exitWith(await check(argument, flags, environment));
  });
};

async function check(argument: string, flags: Flags, environment: Environment): Promise<number> {
  const [
    { loadConfig },
    { loadPolicy },
    { withFlags },
    outputs,
    { protectCheck },
    { runCheck },
    { finish, keptBy },
  ] = await Promise.all([
    import('../inputs.js'),
    import('../policy.js'),
    import('../../gate/policy.js'),
    import('../outputs.js'),
    import('../check.js'),
    import('../check.js'),
    import('../run.js'),
  ]);
  const config = await loadConfig(argument, environment);
  const loaded = await loadPolicy(flags.policy, environment);
  const policy = withFlags(loaded.policy, {
    ...(flags.rule ? { rules: flags.rule } : {}),
    ...(flags.warn ? { warnings: flags.warn } : {}),
    ...(flags.candidates ? { candidates: flags.candidates } : {}),
    ...(flags.severity ? { severities: flags.severity } : {}),
  });
  const baseline = flags.baseline ?? loaded.baseline;
  await protectCheck(
    {
      config: config.file,
      base: flags.base,
      policy: loaded.file,
      baseline,
      output: flags.output,
      updateBaseline: flags.updateBaseline === true,
    },
    environment,
  );
  const files = await outputs.prepareOutputs(flags.output ?? [], environment);
  const quiet = flags.quiet === true;
  const run = await runCheck(
    {
      config,
      policy,
      target: flags.target,
      base: flags.base,
      baseline,
      updateBaseline: flags.updateBaseline === true,
      options: { ...evaluationOptions(flags), ...referenceOptions(flags) },
    },
    environment,
    { progress: !quiet && !flags.json, notices: !quiet, keeps: keptBy(flags) },
  );
  const { gateOutcome } = await import('../../gate/words.js');
  await outputs.writeOutputs(files, run.report, { gate: gateOutcome(run.result) });
  if (flags.updateBaseline && baseline !== undefined) {
    const { updateBaseline } = await import('../check.js');
    await updateBaseline(baseline, run.report, environment, !quiet);
  }
  await print(run, config, flags, environment);
  finish(run.report, { flags, resumable: false }, environment);
  return run.result.exitCode;
}

async function print(
  run: CheckRun,
  config: LoadedConfig,
  flags: Flags,
  environment: Environment,
): Promise<void> {
  const { stdout, stderr } = environment;
  const { result, report, candidates } = run;
  if (flags.json) {
    const { CHECK_SCHEMA_VERSION: schemaVersion } = await import('../../gate/judge.js');
    const output = { schemaVersion, ...result, base: flags.base ?? null, report };
    stdout.json(output);
  } else {
    const { checkText } = await import('../check-text.js');
    const advice = [...new Map(run.advice.map((each) => [each?.text, each])).values()];
    const text = checkText(
      {
        result,
        report,
        candidates,
        base: flags.base,
        columns: stdout.columns,
        advice: advice.filter((each) => each !== undefined),
      },
      paint(stdout.isLively),
    );
    stdout.write(text);
  }
  const { gateAnnotations, onGitHub, writeStepSummary } = await import('../github.js');
  if (!onGitHub(environment)) return;
  // The runner reads workflow commands from both streams; --json keeps stdout to itself.
  const stream = flags.json ? stderr : stdout;
  for (const { severity, title, message, file, line } of gateAnnotations(
    result,
    config,
    (index) => run.advice[index],
    environment,
  )) {
    stream.command(severity, { file, line, title }, message);
  }
  await writeStepSummary(report, result, environment);
}
