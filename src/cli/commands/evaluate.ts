import type { Command } from 'commander';
import { EXIT, RopeEvalError } from '../../errors.js';
import type { Report } from '../../report/schema.js';
import type { CommandContext } from '../command.js';
import type { Environment } from '../environment.js';
import { loadConfig } from '../load-config.js';
import {
  addEvaluationOptions,
  evaluationOptions,
  type EvaluationFlags,
} from '../options/evaluation.js';
import { collect, factors, tokensFor } from '../options/numbers.js';
import {
  addReferenceOptions,
  referenceOptions,
  type ReferenceFlags,
} from '../options/reference.js';
import { refuseSecondArgument } from '../second-argument.js';
import { columnsOf, isLively } from '../terminal.js';

interface Flags extends EvaluationFlags, ReferenceFlags {
  readonly target?: number;
  readonly factor?: readonly number[];
  readonly candidates?: readonly string[];
  readonly output?: readonly string[];
  readonly json?: boolean;
  readonly plots: boolean;
  readonly quiet?: boolean;
  readonly optimize?: boolean;
}

/** The default command, whose options are the program's own. */
export function evaluateCommand(program: Command, context: CommandContext): void {
  program
    .argument('<config>', 'a config.json, a folder that holds one, or - for standard input')
    .option(
      '--target <tokens>',
      'length to reach, such as 131072 or 128k; default: 4 x the trained window',
      tokensFor('--target'),
    )
    .option(
      '--factor <list>',
      'extension factors such as 2,4: compares the default candidates of each, and the target is ' +
        'the largest times the trained window; with --candidates it only sets the target, with ' +
        '--target only the candidates',
      factors,
    )
    .option(
      '--candidates <list>',
      'scalings to compare, such as yarn:4,dynamic:4, or one JSON object as in a config; may be ' +
        'given again; default: a set for the target',
      collect,
    )
    .option(
      '--optimize',
      'with --target: look for the smallest factor and the best scaling that pass the policy of ' +
        'the working directory (see check), and for a setting per length',
    );
  addEvaluationOptions(program);
  addReferenceOptions(program)
    .option(
      '-o, --output <file>',
      'also save the report; .json, .md, .html, .xml (JUnit), .csv or .txt; may be given again',
      collect,
    )
    .option('--json', 'print the report as JSON, and nothing else, on standard output')
    .option('--no-plots', 'leave heatmaps and charts out')
    .option('--quiet', 'no progress and no notices on standard error')
    // Counted in the action, which knows better what a second argument may have meant.
    .allowExcessArguments()
    .action(async (argument: string, flags: Flags, command: Command) => {
      refuseSecondArgument(command);
      context.exitWith(await compare(argument, flags, context.environment));
    });
}

async function compare(argument: string, flags: Flags, environment: Environment): Promise<number> {
  const [{ chooseCandidates }, { prepareOutputs, writeOutputs }, { readRopeGeometry }] =
    await Promise.all([
      import('../choose-candidates.js'),
      import('../outputs.js'),
      import('../read-geometry.js'),
    ]);
  refuseThreeWays(flags);
  const config = await loadConfig(argument, environment);
  const read = await readRopeGeometry(config, referenceOptions(flags));
  if (flags.optimize) {
    const { searchFactor } = await import('../gate/search-factor.js');
    return searchFactor(config, read, flags, environment);
  }
  const candidates = await chooseCandidates(flags, read, environment);
  const target = flags.target ?? targetOf(flags.factor, read.reference.trainedWindow);
  const outputs = await prepareOutputs(flags.output ?? [], environment);
  const { runEvaluation } = await import('../run-evaluation.js');
  const quiet = flags.quiet === true;
  const report = await runEvaluation(
    environment,
    config,
    {
      ...evaluationOptions(flags),
      ...referenceOptions(flags),
      ...(target === undefined ? {} : { target }),
      ...(candidates === undefined ? {} : { candidates }),
    },
    { progress: !quiet && !flags.json, notices: !quiet },
  );
  await writeOutputs(outputs, report, { plots: flags.plots });
  await print(report, flags, environment);
  return finish(report, flags, environment);
}

function targetOf(factor: Flags['factor'], trainedWindow: number): number | undefined {
  return factor && Math.round(Math.max(...factor) * trainedWindow);
}

async function print(report: Report, flags: Flags, environment: Environment): Promise<void> {
  const { stdout, env } = environment;
  // A table of an unfinished run is easily taken for a whole one; JSON carries its status.
  if (report.status === 'interrupted' && !flags.json) return;
  const reporter = flags.json
    ? (await import('../../report/reporters/json.js')).json
    : (await import('../../report/reporters/text.js')).text;
  const context = { color: isLively(stdout, env), columns: columnsOf(stdout), plots: flags.plots };
  stdout.write(reporter(report, context));
}

function finish(report: Report, flags: Flags, environment: Environment): number {
  if (report.status === 'complete') return EXIT.ok;
  const saved = flags.output?.join(', ');
  const where = saved === undefined ? 'not saved (no -o was given)' : `saved to ${saved}`;
  const interrupted = report.status === 'interrupted';
  const what = interrupted ? 'interrupted' : 'error: the runtime failed before the end';
  environment.stderr.write(`${what}; the finished part is ${where}\n`);
  return interrupted ? EXIT.interrupted : EXIT.runtime;
}

/** Nothing would be left for --factor to say. */
function refuseThreeWays({ factor, candidates, target }: Flags): void {
  if (factor === undefined || candidates === undefined || target === undefined) return;
  throw new RopeEvalError(
    '--factor has no effect beside both --candidates and --target',
    EXIT.usage,
    'no_effect',
    '--factor',
    'Leave --factor out: the candidates and the target are both given.',
  );
}
