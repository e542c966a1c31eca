import {
  addCheckOptions,
  addEvaluationOptions,
  addReferenceOptions,
  type CommandModule,
} from '../options.js';
import type { PullRequestFlags } from '../pull-request.js';

export const pullRequestCommand: CommandModule = (program, { environment, exitWith }) => {
  const command = program
    .command('pull-request')
    .description(
      'gate a pull request: judge every config that it changes against the target branch, by ' +
        'the policy of that branch',
    )
    .argument('[configs...]', 'paths in the repository; default: every config.json that changed')
    .requiredOption('--base-ref <branch>', 'the target branch, which is fetched from origin')
    .option('--repository <folder>', 'the checkout of the pull request', '.')
    .option('--folder <path>', 'folder of the repository that paths and the policy are in', '.')
    .option(
      '--policy <file>',
      'policy to judge by: a path on the target branch, or an absolute one outside of the checkout',
    )
    .option('--baseline <report>', 'a saved report to compare with, found like the policy')
    .option(
      '--trust-checkout',
      'take the policy and the baseline from the checkout, which the pull request may have written',
    );
  addCheckOptions(command);
  addEvaluationOptions(command);
  addReferenceOptions(command)
    .option('--quiet', 'no progress and no notices on standard error')
    .action(async (configs: string[], flags: PullRequestFlags) => {
      const { judgePullRequest } = await import('../pull-request.js');
      exitWith(await judgePullRequest(configs, flags, environment));
    });
};
