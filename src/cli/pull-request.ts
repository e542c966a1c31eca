import { realpath } from 'node:fs/promises';
import { isAbsolute, posix, relative, resolve } from 'node:path';
import { EXIT, option, RopeEvalError, words } from '../errors.js';
import { parseReport } from '../gate/baseline.js';
import {
  defaultPolicy,
  parsePackagePolicy,
  parsePolicy,
  type Policy,
  POLICY_FILE,
} from '../gate/policy.js';
import { type ChangedConfig, changedConfigs } from '../gate/pull-request.js';
import type { Tree } from '../gate/tree.js';
import { judgeConfig, type LoadedBaseline } from './check.js';
import { quote } from '../shell.js';
import type { Environment } from './environment.js';
import { explainFailure, InterruptedError } from './failure.js';
import { appendText } from './files.js';
import { Repository } from './git.js';
import { onGitHub } from './github.js';
import { readTextFile } from './inputs.js';
import type { CheckFlags } from './options.js';
import { isInside, POLICY } from './policy.js';

export interface PullRequestFlags extends CheckFlags {
  readonly baseRef: string;
  readonly repository: string;
  readonly folder: string;
  readonly policy?: string;
  readonly baseline?: string;
  readonly trustCheckout?: boolean;
  readonly quiet?: boolean;
}

/** The checkout of a pull request, and the commit that it would be merged into. */
interface Job {
  readonly repository: Repository;
  /** Absolute path of the work tree. */
  readonly root: string;
  /** Path from the root; '' = the root. */
  readonly folder: string;
  readonly ref: string;
  readonly base: Tree;
  readonly head: Tree;
  readonly flags: PullRequestFlags;
  readonly environment: Environment;
}

/**
 * Judges every config that a pull request changes. Policy and baseline come from the target branch
 * and the configs from the commits; nothing is read from the work tree.
 *
 * @returns the highest exit code
 */
export async function judgePullRequest(
  configs: readonly string[],
  flags: PullRequestFlags,
  environment: Environment,
): Promise<number> {
  const { stdout } = environment;
  const job = await open(flags, environment);
  const judges = await loadJudges(job);
  const named = configs.map((path) => inRepository(path, job));
  const { read } = job.repository;
  const { changed, notices } = await changedConfigs(
    { base: job.base, head: job.head, read },
    { named, allow: [...(judges.policy.allow ?? []), ...(flags.allow ?? [])] },
  );
  for (const notice of [...judges.notices, ...notices]) stdout.write(`${notice}\n`);
  if (changed.length === 0) stdout.write('no config.json changed: nothing to judge\n');
  let worst: number = EXIT.ok;
  for (const config of changed) {
    const code = await judgeOne(config, judges, job);
    worst = Math.max(worst, code);
    if (code === EXIT.interrupted) break;
  }
  const outputs = environment.env['GITHUB_OUTPUT'];
  if (outputs) await appendText(outputs, `exit-code=${worst}\n`);
  return worst;
}

async function open(flags: PullRequestFlags, environment: Environment): Promise<Job> {
  const { baseRef: ref } = flags;
  const start = resolve(environment.cwd, flags.repository);
  const repository = new Repository(start);
  const root = await repository.root().catch(() => {
    throw new RopeEvalError('unreadable', {
      option: 'repository',
      value: flags.repository,
      problem: 'is not in a git repository',
    });
  });
  const base = await repository.tree(await repository.fetch(ref));
  const head = await repository.tree(await repository.commit('HEAD'));
  const job = { repository, root, folder: '', ref, base, head, flags, environment };
  return { ...job, folder: inRepository(flags.folder, job) };
}

/** Converts any path to one from the root of the repository. */
function inRepository(path: string, { root, folder }: Pick<Job, 'root' | 'folder'>): string {
  const local = isAbsolute(path) ? relative(root, path) : posix.join(folder, path);
  const inside = posix.normalize(local.replaceAll('\\', '/')).replace(/\/$/, '');
  if (inside === '..' || inside.startsWith('../') || isAbsolute(inside)) {
    throw new RopeEvalError('missing_file', {
      file: path,
      predicate: 'lies outside of the repository',
    });
  }
  return inside === '.' ? '' : inside;
}

interface Judges {
  readonly policy: Policy;
  readonly policyArgument: string | undefined;
  readonly baseline: LoadedBaseline | undefined;
  readonly notices: readonly string[];
}

/** Loads policy and baseline from the target branch. Changes to them count after the merge. */
async function loadJudges(job: Job): Promise<Judges> {
  const { flags } = job;
  const found =
    flags.policy === undefined
      ? await usualPolicy(job)
      : await requireJudge(flags.policy, 'policy', job);
  const policy = found === undefined ? defaultPolicy() : policyOf(found);
  const own =
    policy.baseline === undefined || found === undefined
      ? undefined
      : posix.join(posix.dirname(found.path), policy.baseline);
  const wanted = flags.baseline ?? own;
  const saved = wanted === undefined ? undefined : await requireJudge(wanted, 'baseline', job);
  return {
    policy,
    policyArgument: found?.argument,
    baseline: saved && { report: parseReport(saved.text, saved.source), source: saved.source },
    notices: [...(found?.notices ?? noPolicyNotices(job)), ...(saved?.notices ?? [])],
  };
}

interface JudgeFile {
  readonly path: string;
  readonly source: string;
  readonly text: string;
  /** The file as a shell argument. */
  readonly argument: string;
  readonly notices: readonly string[];
}

function policyOf({ path, source, text }: JudgeFile): Policy {
  if (posix.basename(path) !== 'package.json') return parsePolicy(text, source);
  const policy = parsePackagePolicy(text, source);
  if (policy) return policy;
  throw new RopeEvalError('bad_policy', { file: source, problem: 'it has no key rope-eval' });
}

async function usualPolicy(job: Job): Promise<JudgeFile | undefined> {
  const file = await judgeFile(posix.join(job.folder, POLICY_FILE), job);
  if (file) return file;
  const manifest = await judgeFile(posix.join(job.folder, 'package.json'), job);
  return manifest && parsePackagePolicy(manifest.text, manifest.source) ? manifest : undefined;
}

/** Explains that a pull request that adds the first policy is not judged by it. */
function noPolicyNotices({ folder, head, ref, flags }: Job): readonly string[] {
  const path = posix.join(folder, POLICY_FILE);
  if (flags.policy !== undefined || flags.trustCheckout || !head.has(path)) return [];
  return [`${path} is new: this pull request is judged by the policy of ${ref}, the default one`];
}

async function requireJudge(
  path: string,
  what: 'policy' | 'baseline',
  job: Job,
): Promise<JudgeFile> {
  const { environment, flags, ref, root } = job;
  if (isAbsolute(path)) {
    const real = await realpath(path).catch(() => path);
    if (!isInside(await realpath(root), real)) {
      const text = await readTextFile(path, environment, POLICY);
      if (text !== undefined) {
        return { path, source: path, text, argument: quote(path), notices: [] };
      }
      throw new RopeEvalError('missing_file', { option: what, problem: `no such file: ${path}` });
    }
    if (!flags.trustCheckout) {
      throw new RopeEvalError('untrusted_policy', {
        option: what,
        problem: `${path} lies in the checkout of the pull request, which may have written it`,
        hint: words`Name it by its path in the repository: then it is read from ${ref}. ${option('trustCheckout')} judges by the checkout.`,
      });
    }
  }
  const found = await judgeFile(inRepository(path, job), job);
  if (found) return found;
  const where = flags.trustCheckout ? 'the checkout' : ref;
  throw new RopeEvalError('missing_file', {
    option: what,
    problem: `there is no ${path} on ${where}`,
  });
}

/** Reads a file of the target branch, or of the pull request if that is trusted. */
async function judgeFile(path: string, job: Job): Promise<JudgeFile | undefined> {
  const { base, head, ref, flags, repository } = job;
  const trusted = flags.trustCheckout === true;
  const tree = trusted ? head : base;
  const found = await tree.resolve(path);
  if (found.kind === 'absent') return undefined;
  if (found.kind !== 'file') {
    const predicate = found.kind === 'folder' ? 'is a folder' : found.why;
    throw new RopeEvalError('unreadable', { file: path, predicate });
  }
  const there = await head.resolve(path);
  const same = there.kind === 'file' && there.id === found.id;
  const at = `${trusted ? 'HEAD' : ref}:${path}`;
  return {
    path,
    source: at,
    text: await repository.read(found.id),
    argument: `<(git show ${quote(at)})`,
    notices: same
      ? []
      : [
          `this pull request changes ${path}; it is judged by the one on ${ref} until that is merged`,
        ],
  };
}

/** Judges one config. An error about it is printed and does not stop the others. */
async function judgeOne(config: ChangedConfig, judges: Judges, job: Job): Promise<number> {
  const { repository, ref, root, flags, environment } = job;
  const { path, id, before, beside } = config;
  const { stdout } = environment;
  stdout.write(`\n${path}\n`);
  if (!before) stdout.write('It is new on this branch, so it gives its own reference.\n');
  try {
    const at = before && `${ref}:${before.path}`;
    const run = await judgeConfig(
      {
        config: { text: await repository.read(id), source: path, file: resolve(root, path) },
        base:
          before && at !== undefined
            ? {
                text: await repository.read(before.id),
                source: at,
                file: undefined,
                argument: `<(git show ${quote(at)})`,
              }
            : undefined,
        beside,
        policy: judges.policy,
        policyArgument: judges.policyArgument,
        baseline: judges.baseline,
      },
      flags,
      [],
      environment,
    );
    return run.result.exitCode;
  } catch (error) {
    const code = await explainFailure(error, environment);
    if (error instanceof InterruptedError) return code;
    if (onGitHub(environment) && error instanceof Error) {
      stdout.command('error', { file: path, title: 'rope-eval' }, error.message);
    }
    return code;
  }
}
