import type { Command } from 'commander';
import { option, words } from '../../errors.js';
import { defined } from '../../json/parse.js';
import type { Report } from '../../report/schema/report.js';
import type { Environment } from '../environment.js';
import { flagOf, noEffect } from '../failure.js';
import { loadBase, loadConfig } from '../inputs.js';
import type { SearchFlags } from '../optimize.js';
import {
  addEvaluationOptions,
  addModelOptions,
  addOutputOptions,
  addReferenceOptions,
  collect,
  type CommandContext,
  evaluationOptions,
  factors,
  type ModelFlags,
  modelOptions,
  referenceOptions,
  tokensFor,
} from '../options.js';

interface Flags extends SearchFlags, ModelFlags {
  readonly optimize?: boolean;
  readonly resume?: string;
  readonly base?: string;
  readonly details?: boolean;
}

/** Adds the default command, whose options belong to the program itself. */
export function evaluateCommand(program: Command, context: CommandContext): void {
  program
    .argument('<config>', 'a config.json, a folder that holds one, or - for standard input')
    .option(
      '--target <tokens>',
      'length to reach, such as 131072 or 128k; default: 4 x the trained window',
      tokensFor('target'),
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
    .option('--base <config>', 'the config before a change: gives the reference, as with check')
    .option(
      '--optimize',
      'with --target: look for the smallest factor and the best scaling that pass the policy ' +
        '(see check), and for a setting per length',
    )
    .option(
      '--policy <file>',
      'with --optimize: the policy; default: as check finds it in the working directory',
    )
    .option(
      '--resume <report>',
      'go on with the JSON report of an interrupted or failed run: what it finished is not run ' +
        'again; takes the same config and options, candidates may be added',
    );
  addEvaluationOptions(program);
  addModelOptions(program);
  addReferenceOptions(program);
  addOutputOptions(program, 'the report')
    .option('--details', 'print every table and sentence, not only the answer')
    .option('--no-plots', 'leave heatmaps and charts out')
    .action(async (argument: string, flags: Flags) => {
      context.exitWith(await compare(argument, flags, context.environment));
    });
}

async function compare(argument: string, flags: Flags, environment: Environment): Promise<number> {
  const [
    { candidateFiles, chooseCandidates, namedCandidates, readBaseOf, readGeometry, usesRope },
    { outputsOf, prepareOutputs, protectInputs, writeOutputs },
    { finish, loadUnfinished, runEvaluation, watchFor },
  ] = await Promise.all([import('../model.js'), import('../files.js'), import('../run.js')]);
  refuseWithoutEffect(flags);
  const config = await loadConfig(argument, environment);
  const named = namedCandidates(flags.candidates);
  // The report of --resume is not protected, because it may be continued in the same file.
  await protectInputs(
    outputsOf(flags.output),
    [
      { name: 'the config', path: config.file },
      { name: `the config of ${flagOf('base')}`, path: flags.base },
      ...candidateFiles(named),
    ],
    environment,
  );
  const base = await loadBase(flags.base, environment);
  const read = await readGeometry(config, referenceOptions(flags), base);
  if (!usesRope(read)) {
    const { compareTwin } = await import('../encodings.js');
    return compareTwin(read, config, flags, environment);
  }
  if (flags.optimize) {
    const { searchFactor } = await import('../optimize.js');
    return searchFactor(config, read, flags, environment);
  }
  const candidates = await chooseCandidates(named, flags.factor, read, environment);
  const target = flags.target ?? targetOf(flags.factor, read.reference.trainedWindow);
  const resume =
    flags.resume === undefined ? undefined : await loadUnfinished(flags.resume, environment);
  const model = await modelOptions(flags, environment);
  const outputs = await prepareOutputs(flags.output ?? [], environment);
  const options = {
    ...evaluationOptions(flags),
    ...referenceOptions(flags),
    ...(base && { base: await readBaseOf(base) }),
    ...model,
    ...defined({ target, candidates, resume }),
  };
  const report = await runEvaluation(environment, config, options, watchFor(flags));
  await writeOutputs(outputs, report, { plots: flags.plots });
  await print(report, flags, environment);
  return finish(report, { flags, resumable: true }, environment);
}

function targetOf(factor: Flags['factor'], trainedWindow: number): number | undefined {
  return factor && Math.round(Math.max(...factor) * trainedWindow);
}

async function print(report: Report, flags: Flags, environment: Environment): Promise<void> {
  const { stdout } = environment;
  // A table of an unfinished run is easily mistaken for a complete one. JSON includes the status.
  if (report.status === 'interrupted' && !flags.json) return;
  if (flags.json) {
    stdout.json(report);
    return;
  }
  const { contextOf, textOf } = await import('../../report/terminal.js');
  const sections = flags.details
    ? (await import('../../report/sections/index.js')).reportSections(report)
    : (await import('../../report/sections/answer.js')).answerSections(report);
  stdout.write(textOf(sections, contextOf(stdout, flags.plots)));
}

function refuseWithoutEffect(flags: Flags): void {
  if (flags.factor && flags.candidates && flags.target !== undefined) {
    throw noEffect('factor', words`beside both ${option('candidates')} and ${option('target')}`, {
      hint: 'Leave it out: the candidates and the target are both given.',
    });
  }
  if (flags.details && (flags.json || flags.optimize)) {
    throw noEffect('details', words`beside ${option(flags.json ? 'json' : 'optimize')}`, {
      hint: 'Leave one of them out.',
    });
  }
  if (flags.policy !== undefined && !flags.optimize) {
    throw noEffect('policy', words`without ${option('optimize')}`, {
      hint: 'To judge a config by a policy: rope-eval check.',
    });
  }
  if (!flags.optimize) return;
  for (const [name, hint] of Object.entries(NOT_SEARCHED)) {
    if (flags[name as keyof typeof NOT_SEARCHED] !== undefined)
      throw noEffect(name, words`on ${option('optimize')}`, { hint });
  }
}

/** Flags that a search does not take, and what to do instead. */
const NOT_SEARCHED = Object.freeze({
  base: 'Run the search on the config before the change.',
  model: 'The search asks the probe model many times; measure what it finds with your own weights.',
  resume: 'Run the search again without it.',
});
