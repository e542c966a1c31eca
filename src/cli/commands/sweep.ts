import { resolve } from 'node:path';
import { EXIT } from '../../errors.js';
import { defined } from '../../json/parse.js';
import type { Environment } from '../environment.js';
import {
  addEvaluationOptions,
  collect,
  type CommandModule,
  type EvaluationFlags,
  evaluationOptions,
  tokensFor,
} from '../options.js';
import { jsonText } from '../streams.js';

interface Flags extends EvaluationFlags {
  readonly shard: string;
  readonly target?: number;
  readonly candidates?: readonly string[];
  readonly output: string;
  readonly quiet?: boolean;
}

export const sweepCommand: CommandModule = (program, { environment, exitWith }) => {
  const command = program
    .command('sweep')
    .description('evaluate many configs, or one machine’s share of them (see merge)')
    .argument('<configs...>', "files or patterns, such as 'configs/**/config.json'")
    .requiredOption('-o, --output <file>', 'where the results go, as JSON')
    .option('--shard <part>', 'this machine’s share, such as 1/4', '1/1')
    .option(
      '--target <tokens>',
      'length to reach; default: 4 x the trained window of each model',
      tokensFor('target'),
    )
    .option(
      '--candidates <list>',
      'scalings to compare, such as yarn:4,dynamic:4; default: a set for the target',
      collect,
    )
    .option('--quiet', 'no line per config on standard error');
  addEvaluationOptions(command).action(async (configs: string[], flags: Flags) => {
    exitWith(await sweep(configs, flags, environment));
  });
};

async function sweep(
  patterns: readonly string[],
  flags: Flags,
  environment: Environment,
): Promise<number> {
  const [
    { parseShard },
    { runSweep },
    { outputFiles, writeAtomically },
    { joinCandidates, parseCandidates },
  ] = await Promise.all([
    import('../../gate/sweep.js'),
    import('../sweep.js'),
    import('../files.js'),
    import('../../candidates/definition.js'),
  ]);
  const shard = parseShard(flags.shard);
  await outputFiles(
    [flags.output],
    environment,
    { '.json': true },
    {
      problem: 'a sweep is written as JSON',
      hint: 'Give a name that ends in .json, such as all.json.',
    },
  );
  const path = resolve(environment.cwd, flags.output);
  const lists = flags.candidates?.map(parseCandidates);
  const result = await runSweep(
    {
      patterns,
      shard,
      output: flags.output,
      options: {
        ...evaluationOptions(flags),
        ...defined({ target: flags.target, candidates: lists && joinCandidates(lists) }),
      },
      notices: flags.quiet !== true,
    },
    environment,
  );
  await writeAtomically(path, jsonText(result));
  const failed = result.entries.filter((entry) => entry.error);
  environment.stderr.write(
    `${result.entries.length - failed.length} evaluated, ${failed.length} could not be, of ${result.configsTotal} in all shards; saved to ${flags.output}\n`,
  );
  if (result.status === 'interrupted') return EXIT.interrupted;
  return Math.max(EXIT.ok, ...failed.map((entry) => entry.error?.exitCode ?? EXIT.ok));
}
