import type { ChalkInstance } from 'chalk';
import { joinCandidates, parseCandidates } from '../../candidates/index.js';
import type { ModelGeometry, Reference } from '../../config/types.js';
import type { EvaluateOptions } from '../../evaluate-types.js';
import { kvCacheGiB } from '../../gate/kv-cache.js';
import { bestOf, optimize, type Optimization, type Trial } from '../../gate/optimize.js';
import type { Policy } from '../../gate/policy.js';
import { recomputedOnly } from '../../report/dynamic-words.js';
import { nats, percent, points, shortTokens, tokens } from '../../report/format.js';
import type { Report } from '../../report/schema.js';
import { bareTable } from '../../report/text/bare-table.js';
import { fill } from '../../report/text/fill.js';
import { HONESTY, probeModelWords, referenceWords } from '../../report/wording.js';
import type { Environment } from '../environment.js';
import type { LoadedConfig } from '../load-config.js';
import { runEvaluation } from '../run-evaluation.js';
import type { WatchSettings } from '../watched.js';

export interface OptimizeRequest {
  readonly config: LoadedConfig;
  readonly model: ModelGeometry;
  readonly reference: Reference;
  /** Tokens. */
  readonly target: number;
  readonly options: EvaluateOptions;
  readonly policy: Policy;
}

export interface OptimizeRun {
  readonly optimization: Optimization;
  readonly policy: Policy;
  /** All trials, as one report: what `-o` saves. */
  readonly report: Report;
}

/** The factor search of `--target N --optimize`. */
export async function runOptimize(
  request: OptimizeRequest,
  environment: Environment,
  settings: WatchSettings,
): Promise<OptimizeRun> {
  const { config, model, reference, target, options, policy } = request;
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
      report = await runEvaluation(environment, config, evaluation, settings);
      return report;
    },
  });
  if (!report) throw new TypeError('the search made no evaluation');
  return { optimization, policy, report };
}

/** Factor against short-context cost and reach, what to use, and a setting per length. */
export function optimizeText(run: OptimizeRun, paint: ChalkInstance, columns: number): string {
  const { optimization, policy, report } = run;
  const { best, target, trials, perLength } = optimization;
  const by = policy.source === 'default' ? 'the default policy' : policy.source;
  const head = [
    'candidate',
    'short loss',
    'short accuracy',
    // As the rules count it, and not of all facts as in a report.
    'needle at target\nof reference at 1x',
    'reach, tokens',
    'policy',
  ];
  const table = bareTable(
    head,
    trials.map((trial) => rowOf(trial, paint)),
  );
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
  const blocks = [
    table,
    paint.bold(fill(recommendation, columns, '')),
    ...(caveat === '' ? [] : [fill(`${caveat} ${instead}`, columns, '')]),
    fill(`Where the server can choose per request, by length: ${switching}.`, columns, ''),
    [...referenceWords(report), probeModelWords(report), HONESTY]
      .map((line) => fill(line, columns, ''))
      .join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

const NOT_MEASURED = '–';

function noneWords(trials: readonly Trial[], what: string): string {
  const unclear = trials.filter((trial) => trial.outcome === 'unverifiable').length;
  if (unclear === 0) return `Nothing passes ${what}. Ask for less, or loosen a rule.`;
  return (
    `Nothing is sure to pass ${what}: ${unclear} could not be decided. ` +
    'Run it again with --preset thorough, or with more --samples.'
  );
}

function rowOf(trial: Trial, paint: ChalkInstance): string[] {
  const { candidate, lossChange, accuracyChange, needleAtTarget, reach } = trial;
  const words = {
    passed: paint.green('passes'),
    failed: paint.red('fails'),
    unverifiable: paint.yellow('unclear'),
  };
  return [
    candidate,
    lossChange === null ? NOT_MEASURED : `${nats(lossChange)} nats`,
    accuracyChange === null ? NOT_MEASURED : points(accuracyChange),
    needleAtTarget === null ? NOT_MEASURED : percent(needleAtTarget),
    reach === null ? NOT_MEASURED : `${trial.reachCensored ? '≥ ' : ''}${tokens(reach)}`,
    words[trial.outcome],
  ];
}
