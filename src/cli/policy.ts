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
 * Loads the policy of a gate: the given file; else that of the working directory; else the default.
 * Parent folders are not searched, so that CI uses only the folder that it runs in.
 */
export async function loadPolicy(
  given: string | undefined,
  environment: Environment,
): Promise<LoadedPolicy> {
  const read = async (source: string): Promise<PolicyFile | undefined> => {
    const text = await readTextFile(source, environment, POLICY);
    return text === undefined ? undefined : { text, source };
  };
  if (given === undefined) {
    const found = await usualPolicy(read);
    if (found) return located(found.policy, found.file.source, environment);
    return { policy: defaultPolicy(), file: undefined, baseline: undefined };
  }
  const file = await read(given);
  if (file) return located(requirePolicy(file), given, environment);
  throw new RopeEvalError('missing_file', {
    option: 'policy',
    problem: `no such file: ${given}`,
  });
}

/** A file that may hold a policy, and its name for messages. */
export interface PolicyFile {
  readonly text: string;
  readonly source: string;
}

/** Finds the policy of a folder: `rope-eval.config.json`, else the key in package.json. */
export async function usualPolicy<File extends PolicyFile>(
  read: (name: string) => Promise<File | undefined>,
): Promise<{ readonly policy: Policy; readonly file: File } | undefined> {
  for (const name of [POLICY_FILE, 'package.json']) {
    const file = await read(name);
    const policy = file && policyIn(file);
    if (policy) return { policy, file };
  }
  return undefined;
}

/** @throws RopeEvalError `bad_policy` for a package.json without one */
export function requirePolicy(file: PolicyFile): Policy {
  const policy = policyIn(file);
  if (policy) return policy;
  throw new RopeEvalError('bad_policy', {
    option: 'policy',
    problem: `${file.source} has no key rope-eval`,
    hint: `Add one, or write ${POLICY_FILE}.`,
  });
}

function policyIn({ text, source }: PolicyFile): Policy | undefined {
  // A source is a path, or one of a branch: main:package.json.
  const parse = /(?:^|[/\\:])package\.json$/.test(source) ? parsePackagePolicy : parsePolicy;
  return parse(text, source);
}

function located(policy: Policy, path: string, { cwd }: Environment): LoadedPolicy {
  const folder = dirname(resolve(cwd, path));
  return {
    policy,
    file: path,
    baseline: policy.baseline === undefined ? undefined : join(folder, policy.baseline),
  };
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

/** Variables of CI systems that say that a job is about a pull request, and where it lies. */
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
