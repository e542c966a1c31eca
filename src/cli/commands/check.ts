import { quote } from '../../text.js';
import type { Environment } from '../environment.js';
import { flagOf } from '../failure.js';
import {
  addCheckOptions,
  addEvaluationOptions,
  addModelOptions,
  addOutputOptions,
  addReferenceOptions,
  type CheckFlags,
  type CommandModule,
  type ModelFlags,
  type OutputFlags,
} from '../options.js';

interface Flags extends CheckFlags, ModelFlags, OutputFlags {
  readonly policy?: string;
  readonly base?: string;
  readonly baseline?: string;
  readonly updateBaseline?: boolean;
  readonly trustCheckout?: boolean;
}

export const checkCommand: CommandModule = (program, { environment, exitWith }) => {
  const command = program
    .command('check')
    .description(
      'gate a config in CI: evaluate what it says, judge it by a policy, and exit with 1 where ' +
        'it fails',
    )
    .argument('<config>', 'a config.json, a folder that holds one, or - for standard input')
    .option(
      '--policy <file>',
      'policy to judge by; default: rope-eval.config.json or the key rope-eval of package.json ' +
        'in the working directory, else a built-in one',
    );
  addCheckOptions(command)
    .option(
      '--base <config>',
      'the config before the change: gives the reference, every key that differs is judged, and ' +
        'what did not change cannot fail',
    )
    .option(
      '--baseline <report>',
      'a saved report; fails if any cell got worse, and exits with 3 if they are not comparable',
    )
    .option('--update-baseline', 'write this run’s report to the baseline instead of comparing')
    .option(
      '--trust-checkout',
      'in a job about a pull request: judge by the policy and baseline of the checkout, which the ' +
        'pull request may have written',
    );
  addEvaluationOptions(command);
  addModelOptions(command);
  addReferenceOptions(command);
  addOutputOptions(command, 'the result').action(async (argument: string, flags: Flags) => {
    exitWith(await check(argument, flags, environment));
  });
};

async function check(argument: string, flags: Flags, environment: Environment): Promise<number> {
  const [
    { loadBaseline, judgeConfig, updateBaseline },
    { outputsOf, prepareOutputs, protectInputs },
    { loadConfig },
    { assertTrusted, loadPolicy },
  ] = await Promise.all([
    import('../check.js'),
    import('../files.js'),
    import('../inputs.js'),
    import('../policy.js'),
  ]);
  const config = await loadConfig(argument, environment);
  const { policy, file, baseline: own } = await loadPolicy(flags.policy, environment);
  const baseline = flags.baseline ?? own;
  if (!flags.trustCheckout)
    await assertTrusted({ policy: file, baseline, base: flags.base }, environment);
  const replaced = flags.updateBaseline === true;
  // A baseline is an input unless it is to be updated; it is then an output that must not overwrite
  // a config.
  const written = replaced ? [{ name: flagOf('baseline'), path: baseline }] : [];
  await protectInputs(
    [...outputsOf(flags.output), ...written],
    [
      { name: 'the config', path: config.file },
      { name: `the config of ${flagOf('base')}`, path: flags.base },
      { name: 'the policy', path: file },
      ...(replaced ? [] : [{ name: 'the baseline', path: baseline }]),
    ],
    environment,
  );
  const outputs = await prepareOutputs(flags.output ?? [], environment);
  const base =
    flags.base === undefined
      ? undefined
      : { ...(await loadConfig(flags.base, environment)), argument: quote(flags.base) };
  const run = await judgeConfig(
    {
      config,
      base,
      policy,
      policyArgument: file === undefined ? undefined : quote(file),
      baseline: await loadBaseline(baseline, replaced, environment),
    },
    flags,
    outputs,
    environment,
  );
  if (replaced && baseline !== undefined) {
    await updateBaseline(baseline, run.report, environment, flags.quiet !== true);
  }
  return run.result.exitCode;
}
