import { dirname, join, resolve } from 'node:path';
import { RopeEvalError } from '../errors.js';
import {
  defaultPolicy,
  parsePackagePolicy,
  parsePolicy,
  type Policy,
  POLICY_FILE,
} from '../gate/policy.js';
import type { Environment } from './environment.js';
import { readTextFile } from './inputs.js';

export interface LoadedPolicy {
  readonly policy: Policy;
  /** Path; undefined for the default. */
  readonly file: string | undefined;
  /** Absolute path of the baseline that the policy names; relative ones are beside the policy. */
  readonly baseline: string | undefined;
}

/**
 * The policy of a gate: the file given, else `rope-eval.config.json` or the key in package.json of
 * the working directory (no search upwards: CI runs where it says it runs), else the default.
 */
export async function loadPolicy(
  given: string | undefined,
  environment: Environment,
): Promise<LoadedPolicy> {
  if (given !== undefined) {
    const text = await readTextFile(given, environment);
    if (text === undefined) {
      throw new RopeEvalError('missing_file', {
        option: 'policy',
        problem: `no such file: ${given}`,
      });
    }
    const isPackage = given.endsWith('package.json');
    const policy = isPackage ? parsePackagePolicy(text, given) : parsePolicy(text, given);
    if (!policy) throw noKey(given);
    return located(policy, given, environment);
  }
  const file = await readTextFile(POLICY_FILE, environment);
  if (file !== undefined) return located(parsePolicy(file, POLICY_FILE), POLICY_FILE, environment);
  const manifest = await readTextFile('package.json', environment);
  const policy = manifest === undefined ? undefined : parsePackagePolicy(manifest, 'package.json');
  if (policy) return located(policy, 'package.json', environment);
  return { policy: defaultPolicy(), file: undefined, baseline: undefined };
}

function located(policy: Policy, path: string, { cwd }: Environment): LoadedPolicy {
  const folder = dirname(resolve(cwd, path));
  return {
    policy,
    file: path,
    baseline: policy.baseline === undefined ? undefined : join(folder, policy.baseline),
  };
}

function noKey(path: string): RopeEvalError {
  return new RopeEvalError('bad_policy', {
    option: 'policy',
    problem: `${path} has no key rope-eval`,
    hint: `Add one, or write ${POLICY_FILE}.`,
  });
}
