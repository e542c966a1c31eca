import type { Environment } from '../environment.js';
import { outputsOf, protectInputs } from '../protect-inputs.js';

/** The files of one `check`, as given. */
export interface CheckFiles {
  readonly config: string | undefined;
  readonly base: string | undefined;
  readonly policy: string | undefined;
  readonly baseline: string | undefined;
  readonly output: readonly string[] | undefined;
  readonly updateBaseline: boolean;
}

/** A baseline is an input until it is to be updated; then it is written, and never over a config. */
export async function protectCheck(files: CheckFiles, environment: Environment): Promise<void> {
  const { config, base, policy, baseline, updateBaseline } = files;
  const inputs = [
    { name: 'the config', path: config },
    { name: 'the config of --base', path: base },
    { name: 'the policy', path: policy },
  ];
  const outputs = outputsOf(files.output);
  if (updateBaseline) outputs.push({ name: '--baseline', path: baseline });
  else inputs.push({ name: 'the baseline', path: baseline });
  await protectInputs(outputs, inputs, environment);
}
