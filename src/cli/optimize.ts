import { joinCandidates, parseCandidates } from '../candidates/definition.js';
import { type ErrorDetails, EXIT, option, RopeEvalError, words } from '../errors.js';
import { kvCacheGiB } from '../gate/metrics.js';
import {
  bestOf,
  type Optimization,
  optimize,
  OPTIMIZE_SCHEMA_VERSION,
  type Trial,
} from '../gate/optimize.js';
import type { Policy } from '../gate/policy.js';
import { nats, percent, points, shortTokens, tokens } from '../report/format.js';
import { scaleWords } from '../report/real-models.js';
import type { Report } from '../report/schema/report.js';
import {
  honestyWords,
  recomputedOnly,
  referenceWords,
  subjectWords,
} from '../report/sections/conditions.js';
import {
  type TableCell,
  plainTable,
  type Section,
  type TableBlock,
  textSection,
} from '../report/sections/section.js';
import { contextOf, textOf } from '../report/terminal.js';
import type { Environment } from './environment.js';
import { outputsOf, prepareOutputs, protectInputs, writeOutputs } from './files.js';
import type { LoadedConfig } from './inputs.js';
import type { RopeModel } from './model.js';
import {
  type EvaluationFlags,
  evaluationOptions,
  type OutputFlags,
  type ReferenceFlags,
  referenceOptions,
} from './options.js';
import { loadPolicy } from './policy.js';
import { finish, runEvaluation, watchFor } from './run.js';
import { inShell } from './failure.js';

interface OptimizeRun {
  readonly optimization: Optimization;
  readonly policy: Policy;
  /** One report on all trials, which `-o` saves. */
  readonly report: Report;
}

/** Draws the search: what to use, cost and reach by factor, and a setting for each length. */
function optimizeSections({ optimization, policy, report }: OptimizeRun): readonly Section[] {
  const { best, target, trials, perLength } = optimization;
  const by = policy.source === 'default' ? 'the default policy' : policy.source;
  const recommendation = best
    ? `Use ${best.candidate}: the smallest factor that passes ${by} at ${tokens(target)} tokens.`
    : noneWords(trials, `${by} at ${tokens(target)} tokens`);
  const found = report.candidates.find(({ label }) => label === best?.candidate);
  const caveat = recomputedOnly(found, report);
  const fixed = bestOf(trials.filter(({ scaling }) => scaling !== 'dynamic'));
  const instead = `Of the scalings with one table for all lengths, ${fixed ? `${fixed.candidate} passes first` : 'none passes'}.`;
  const switching = perLength
    .map(({ upTo, candidate }) => `${shortTokens(upTo)}: ${candidate ?? 'nothing holds'}`)
    .join('; ');
  return [
    { id: 'trials', blocks: [trialsTable(trials)] },
    textSection('use', [recommendation], 'strong'),
    textSection('caveat', [caveat === '' ? '' : `${caveat} ${instead}`]),
    textSection('lengths', [`Where the server can choose per request, by length: ${switching}.`]),
    textSection('assumptions', [
      ...referenceWords(report),
      subjectWords(report),
      scaleWords(report),
      honestyWords(report),
    ]),
  ];
}

function trialsTable(trials: readonly Trial[]): TableBlock {
  return plainTable(
    'Trials',
    [
      'candidate',
      'short loss',
      'short accuracy',
      // This is the value that the rules judge, not the one over all facts that a report shows.
      {
        title: 'needle at target of reference at 1x',
        narrow: ['needle at target', 'of reference at 1x'],
        align: 'right',
      },
      'reach, tokens',
      'policy',
    ],
    trials.map(rowOf),
  );
}

const NOT_MEASURED = '–';

function noneWords(trials: readonly Trial[], what: string): string {
  const unclear = trials.filter((trial) => trial.outcome === 'unverifiable').length;
  if (unclear === 0) return `Nothing passes ${what}. Ask for less, or loosen a rule.`;
  return (
    `Nothing is sure to pass ${what}: ${unclear} could not be decided. ` +
    inShell(
      words`Run it again with ${option('preset')} thorough, or with more ${option('samples')}.`,
    )
  );
}

const OUTCOMES: Readonly<Record<Trial['outcome'], TableCell>> = Object.freeze({
  passed: { text: 'passes', tone: 'good' },
  failed: { text: 'fails', tone: 'bad' },
  unverifiable: { text: 'unclear', tone: 'warn' },
});

function rowOf(trial: Trial): readonly (string | TableCell)[] {
  const { candidate, lossChange, accuracyChange, needleAtTarget, reach } = trial;
  return [
    { text: candidate, name: true },
    lossChange === null ? NOT_MEASURED : `${nats(lossChange)} nats`,
    accuracyChange === null ? NOT_MEASURED : points(accuracyChange),
    needleAtTarget === null ? NOT_MEASURED : percent(needleAtTarget),
    reach === null ? NOT_MEASURED : `${trial.reachCensored ? '≥ ' : ''}${tokens(reach)}`,
    OUTCOMES[trial.outcome],
  ];
}

export interface SearchFlags extends EvaluationFlags, ReferenceFlags, OutputFlags {
  readonly target?: number;
  readonly factor?: readonly number[];
  readonly candidates?: readonly string[];
  readonly plots: boolean;
  readonly policy?: string;
}

/** Runs the default command as a search: `--target N --optimize`. @returns the exit code */
export async function searchFactor(
  config: LoadedConfig,
  { model, reference }: RopeModel,
  flags: SearchFlags,
  environment: Environment,
): Promise<number> {
  const target = targetOf(flags, reference.trainedWindow);
  refuseLocalOnly(model);
  const { policy, file } = await loadPolicy(flags.policy, environment);
  await protectInputs(outputsOf(flags.output), [{ name: 'the policy', path: file }], environment);
  const outputs = await prepareOutputs(flags.output ?? [], environment);
  const options = { ...evaluationOptions(flags), ...referenceOptions(flags), stopEarly: false };
  let report: Report | undefined;
  const optimization = await optimize({
    target,
    trainedWindow: reference.trainedWindow,
    reference: reference.kind,
    policy,
    kvCacheGiB: (length) => kvCacheGiB(model, length),
    evaluate: async (labels, at, lengths) => {
      const candidates = joinCandidates(labels.map(parseCandidates));
      const evaluation = { ...options, candidates, target: at, lengths };
      report = await runEvaluation(environment, config, evaluation, watchFor(flags));
      return report;
    },
  });
  if (!report) throw new TypeError('the search made no evaluation');
  await writeOutputs(outputs, report, { plots: flags.plots });
  const { stdout } = environment;
  if (flags.json) {
    const named = { schemaVersion: OPTIMIZE_SCHEMA_VERSION, policy: policy.source };
    stdout.json({ ...named, ...optimization, report });
  }
  // An unfinished search could recommend a factor that the remaining trials would beat.
  else if (report.status === 'complete') {
    stdout.write(textOf(optimizeSections({ optimization, policy, report }), contextOf(stdout)));
  }
  if (report.status !== 'complete') return finish(report, { flags, resumable: false }, environment);
  return optimization.best ? EXIT.ok : EXIT.gateFailed;
}

/** Refuses models in which every layer is local: every factor would pass and none would help. */
function refuseLocalOnly({ groups, modelType }: RopeModel['model']): void {
  if (groups.some(({ span }) => span.kind === 'global')) return;
  throw new RopeEvalError('local_only', {
    option: 'optimize',
    problem: `there is nothing to look for: no layer of ${modelType} that rotates looks farther than its window`,
    hint: words`A longer context brings no new distances, so no scaling helps. Without ${option('optimize')}, scalings are compared by what they cost.`,
  });
}

/** Checks the flags. The search chooses candidates and factors itself and only needs a length. */
function targetOf(flags: SearchFlags, trainedWindow: number): number {
  const refuse = (details: ErrorDetails): never => {
    throw new RopeEvalError('usage', details);
  };
  if (flags.candidates) {
    refuse({
      option: 'candidates',
      problem: words`${option('optimize')} chooses the candidates itself`,
      hint: 'Leave them out.',
    });
  }
  if (flags.factor) {
    refuse({
      option: 'factor',
      problem: words`${option('optimize')} looks for the factor itself`,
      hint: 'Leave it out.',
    });
  }
  const { target } = flags;
  if (target === undefined) {
    return refuse({
      option: 'target',
      problem: words`${option('optimize')} needs a length to reach`,
      hint: words`Add ${option('target')} 131072.`,
    });
  }
  if (target <= trainedWindow) {
    refuse({
      option: 'target',
      problem: `${target} lies inside the trained window of ${trainedWindow} tokens`,
      hint: 'Nothing needs scaling there; give a longer one.',
    });
  }
  return target;
}
