import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { option, RopeEvalError, words } from '../errors.js';
import {
  defaultPolicy,
  parsePackagePolicy,
  parsePolicy,
  type Policy,
  POLICY_FILE,
} from '../gate/policy.js';
import type { Environment } from './environment.js';
import { readTextFile } from './inputs.js';

/** Limits for a policy. The file may be a package.json, which contains more than the policy. */
export const POLICY = Object.freeze({ bytes: 4 * 1024 * 1024, kind: 'a policy' });

/** A policy, with the paths that it came from and names. */
export interface LoadedPolicy {
  readonly policy: Policy;
  /** Path; undefined for the default. */
  readonly file: string | undefined;
  /** Absolute path of the baseline that the policy names. A relative path starts at the policy. */
  readonly baseline: string | undefined;
}

/**
 * Loads the policy of a gate: the given file; else `rope-eval.config.json` or the key in
 * package.json in the working directory; else the default. Parent folders are not searched, so that
 * CI uses only the folder that it runs in.
 */
export async function loadPolicy(
  given: string | undefined,
  environment: Environment,
): Promise<LoadedPolicy> {
  if (given !== undefined) {
    const text = await readTextFile(given, environment, POLICY);
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
  const file = await readTextFile(POLICY_FILE, environment, POLICY);
  if (file !== undefined) return located(parsePolicy(file, POLICY_FILE), POLICY_FILE, environment);
  const manifest = await readTextFile('package.json', environment, POLICY);
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

/** The files that decide how a config is judged. */
export interface Judges {
  readonly policy: string | undefined;
  readonly baseline: string | undefined;
  /** The config before the change. */
  readonly base: string | undefined;
}

/** Whether a path lies in a folder, if both are real paths. A name may begin with two dots. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Variables that CI systems set for a change by someone who may not be allowed to merge it, and
 * those that say where the change is checked out.
 */
const UNTRUSTED = Object.freeze([
  { variable: 'GITHUB_EVENT_NAME', value: /^pull_request/, checkout: 'GITHUB_WORKSPACE' },
  {
    variable: 'CI_PIPELINE_SOURCE',
    value: /^(?:merge_request|external_pull_request)_event$/,
    checkout: 'CI_PROJECT_DIR',
  },
  { variable: 'BUILD_REASON', value: /^PullRequest$/, checkout: 'BUILD_SOURCESDIRECTORY' },
  { variable: 'BITBUCKET_PR_ID', value: /./, checkout: 'BITBUCKET_CLONE_DIR' },
  { variable: 'BUILDKITE_PULL_REQUEST', value: /^\d/, checkout: 'BUILDKITE_BUILD_CHECKOUT_PATH' },
  { variable: 'TRAVIS_PULL_REQUEST', value: /^\d/, checkout: 'TRAVIS_BUILD_DIR' },
  { variable: 'DRONE_BUILD_EVENT', value: /^pull_request$/, checkout: 'DRONE_WORKSPACE' },
  // Jenkins jobs that build pull requests.
  { variable: 'CHANGE_ID', value: /./, checkout: 'WORKSPACE' },
]);

/**
 * Refuses a policy, baseline or base config from a pull request, which must not decide how it is
 * judged itself.
 *
 * @throws RopeEvalError `untrusted_policy`
 */
export async function assertTrusted(judges: Judges, { cwd, env }: Environment): Promise<void> {
  const job = UNTRUSTED.find(({ variable, value }) => value.test(env[variable] ?? ''));
  if (job === undefined) return;
  const checkout = await realpath(env[job.checkout] ?? cwd).catch(() => cwd);
  for (const [what, path] of Object.entries(judges)) {
    if (path === undefined || path === '-') continue;
    const real = await realpath(resolve(cwd, path)).catch(() => resolve(cwd, path));
    if (!isInside(checkout, real)) continue;
    throw new RopeEvalError('untrusted_policy', {
      file: path,
      problem: `this ${what} lies in the checkout of the pull request, which may have written it`,
      hint: words`Judge by that of the target branch, as rope-eval pull-request does, or give a file outside of the checkout; ${option('trustCheckout')} judges by this one.`,
    });
  }
}
