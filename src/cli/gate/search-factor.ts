import { EXIT, RopeEvalError } from '../../errors.js';
import { OPTIMIZE_SCHEMA_VERSION } from '../../gate/optimize-schema.js';
import type { Environment } from '../environment.js';
import type { LoadedConfig } from '../load-config.js';
import { evaluationOptions, type EvaluationFlags } from '../options/evaluation.js';
import type { OutputFlags } from '../options/output.js';
import { referenceOptions, type ReferenceFlags } from '../options/reference.js';
import { prepareOutputs, writeOutputs } from '../outputs.js';
import type { RopeModel } from '../read-geometry.js';
import { outputsOf, protectInputs } from '../protect-inputs.js';
import { columnsOf, paletteFor } from '../terminal.js';
import { finish, keptBy } from '../unfinished.js';
import { loadPolicy } from './load-policy.js';
import { optimizeText, runOptimize, type OptimizeRun } from './run-optimize.js';

export interface SearchFlags extends EvaluationFlags, ReferenceFlags, OutputFlags {
  readonly target?: number;
  readonly factor?: readonly number[];
  readonly candidates?: readonly string[];
  readonly plots: boolean;
  readonly policy?: string;
}

/** `--target N --optimize`: the default command as a search. */
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
  const options = { ...evaluationOptions(flags), ...referenceOptions(flags) };
  const quiet = flags.quiet === true;
  const run = await runOptimize(
    { config, model, reference, target, options, policy },
    environment,
    { progress: !quiet && !flags.json, notices: !quiet, keeps: keptBy(flags) },
  );
  await writeOutputs(outputs, run.report, { plots: flags.plots });
  const { stdout, env } = environment;
  if (flags.json) stdout.write(jsonText(run));
  // Half of the trials would name a best one that a longer run may beat.
  else if (run.report.status === 'complete') {
    stdout.write(optimizeText(run, paletteFor(stdout, env), columnsOf(stdout)));
  }
  if (run.report.status !== 'complete') {
    return finish(run.report, { flags, resumable: false }, environment);
  }
  return run.optimization.best ? EXIT.ok : EXIT.gateFailed;
}

function jsonText({ optimization, policy, report }: OptimizeRun): string {
  const output = {
    schemaVersion: OPTIMIZE_SCHEMA_VERSION,
    policy: policy.source,
    ...optimization,
    report,
  };
  return `${JSON.stringify(output, null, 2)}\n`;
}

/** Where no distance grows with the length, every factor passes, and none is of use. */
function refuseLocalOnly({ groups, modelType }: RopeModel['model']): void {
  if (groups.some(({ span }) => span.kind === 'global')) return;
  throw new RopeEvalError(
    `--optimize has nothing to look for: no layer of ${modelType} that rotates looks farther than its window`,
    EXIT.usage,
    'local_only',
    '--optimize',
    'A longer context brings no new distances, so no scaling helps. Without --optimize, scalings are compared by what they cost.',
  );
}

/** The search chooses candidates and factors itself; a length is all it needs. */
function targetOf(flags: SearchFlags, trainedWindow: number): number {
  const refuse = (message: string, flag: string, hint: string): never => {
    throw new RopeEvalError(message, 2, 'usage', flag, hint);
  };
  if (flags.candidates) {
    refuse('--optimize chooses the candidates itself', '--candidates', 'Leave --candidates out.');
  }
  if (flags.factor) {
    refuse('--optimize looks for the factor itself', '--factor', 'Leave --factor out.');
  }
  const { target } = flags;
  if (target === undefined) {
    return refuse('--optimize needs a length to reach', '--target', 'Add --target 131072.');
  }
  if (target <= trainedWindow) {
    refuse(
      `--target ${target} lies inside the trained window of ${trainedWindow} tokens`,
      '--target',
      'Nothing needs scaling there; give a longer one.',
    );
  }
  return target;
}
