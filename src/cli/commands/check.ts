import type { FileCheckFlags } from '../check.js';
import {
  addCheckOptions,
  addEvaluationOptions,
  addModelOptions,
  addOutputOptions,
  addReferenceOptions,
  type CommandModule,
} from '../options.js';

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
  addOutputOptions(command, 'the result').action(
    async (argument: string, flags: FileCheckFlags) => {
      const { checkFile } = await import('../check.js');
      exitWith(await checkFile(argument, flags, environment));
    },
  );
};
