import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { isAbsolute, posix, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { EXIT, option, RopeEvalError, words } from '../errors.js';
import { parseReport } from '../gate/baseline.js';
import { defaultPolicy, POLICY_FILE } from '../gate/policy.js';
import { type ChangedConfig, changedConfigs } from '../gate/pull-request.js';
import { type ReadObject, Tree, type TreeEntry } from '../gate/tree.js';
import { BOUNDS } from '../json/parse.js';
import { quote } from '../text.js';
import { type CheckInput, judgeConfig } from './check.js';
import type { Environment } from './environment.js';
import { explainFailure, InterruptedError } from './failure.js';
import { appendText } from './files.js';
import { onGitHub } from './github.js';
import { type BaseConfig, readTextFile } from './inputs.js';
import type { CheckFlags } from './options.js';
import { isInside, POLICY, type PolicyFile, requirePolicy, usualPolicy } from './policy.js';

const run = promisify(execFile);

/** Options that keep the settings of a repository from making git run other programs. */
const SAFE = Object.freeze(
  [
    'core.fsmonitor=',
    'core.hooksPath=/dev/null',
    'protocol.ext.allow=never',
    // A folder of the checkout may look like a repository with its own settings.
    'safe.bareRepository=explicit',
  ].flatMap((each) => ['-c', each]),
);

/** Enough for the paths of a million files. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Milliseconds: enough to fetch one commit over a slow connection. */
const PATIENCE = 300_000;

/** Matches a branch or tag that `git check-ref-format` accepts, or the id of a commit. */
const REF =
  // eslint-disable-next-line no-control-regex -- the pattern refuses them
  /^(?![-/.])(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)))[^\s~^:?*[\\\u0000-\u001f\u007f]+(?<![/.])$/;
const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** One repository, read through the system's git. Commands are lists, never shell text. */
export class Repository {
  constructor(private readonly folder: string) {}

  /** Returns the root of the work tree. */
  async root(): Promise<string> {
    return (await this.#git(['rev-parse', '--show-toplevel'])).trimEnd();
  }

  /**
   * Fetches a branch of `origin` and returns its newest commit. Only the files of that commit are
   * read.
   *
   * @throws RopeEvalError `bad_ref`, `unreadable` (exit 2)
   */
  async fetch(ref: string): Promise<string> {
    if (!REF.test(ref)) {
      throw new RopeEvalError('bad_ref', {
        option: 'baseRef',
        value: ref,
        problem: 'is not the name of a branch',
        hint: 'Give a branch of the repository, such as main.',
      });
    }
    const wanted = COMMIT.test(ref) || ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
    try {
      // In a full clone, fetching with a depth would cut off the existing history.
      const shallow = await this.#git(['rev-parse', '--is-shallow-repository']);
      const depth = shallow.trim() === 'true' ? ['--depth=1'] : [];
      await this.#git(['fetch', '--quiet', '--no-tags', ...depth, '--', 'origin', wanted]);
    } catch (error) {
      throw new RopeEvalError('unreadable', {
        option: 'baseRef',
        value: ref,
        problem: `cannot be fetched from origin: ${lastLine(error)}`,
        hint: 'Is this a checkout with a remote, and does the branch exist?',
      });
    }
    return this.commit('FETCH_HEAD');
  }

  async commit(name: string): Promise<string> {
    return (await this.#git(['rev-parse', '--verify', '--quiet', `${name}^{commit}`])).trim();
  }

  /** Lists every file of a commit. */
  async tree(commit: string): Promise<Tree> {
    const list = await this.#bytes(['ls-tree', '-r', '-z', '--full-tree', commit], MOST_BYTES);
    const entries = linesOf(list).flatMap((line): TreeEntry[] => {
      const [, mode, id, path] = /^(\d+) \w+ ([0-9a-f]+)\t(.+)$/s.exec(line) ?? [];
      if (mode === undefined || id === undefined || path === undefined) return [];
      const kind = mode === '120000' ? 'link' : mode === '160000' ? 'commit' : 'file';
      return [{ path, kind, id }];
    });
    return new Tree(entries, this.read);
  }

  /**
   * Reads the text of an object, up to the length limit of a config. git is asked once for each.
   */
  readonly read: ReadObject = (id) => {
    const text = this.#texts.get(id) ?? this.#read(id);
    this.#texts.set(id, text);
    return text;
  };

  readonly #texts = new Map<string, Promise<string>>();

  async #read(id: string): Promise<string> {
    try {
      const bytes = await this.#bytes(['cat-file', 'blob', id], BOUNDS.textLength);
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      throw new RopeEvalError('unreadable', {
        problem: `git cannot read the object ${id}: ${lastLine(error)}`,
        hint: `A config is UTF-8 text of at most ${BOUNDS.textLength} bytes; a partial clone lacks objects.`,
      });
    }
  }

  async #git(words: readonly string[]): Promise<string> {
    return (await this.#bytes(words, MOST_BYTES)).toString('utf8');
  }

  async #bytes(words: readonly string[], most: number): Promise<Buffer> {
    const { stdout } = await run('git', [...SAFE, ...words], {
      cwd: this.folder,
      maxBuffer: most,
      timeout: PATIENCE,
      encoding: 'buffer',
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
    });
    return stdout;
  }
}

/** Splits at zero bytes. Paths that are not UTF-8 keep their bytes, so that they stay distinct. */
function linesOf(list: Buffer): readonly string[] {
  const whole = list.toString('utf8').split('\0');
  if (!whole.some((line) => line.includes('\ufffd'))) return whole;
  const exact = new TextDecoder('utf-8', { fatal: true });
  return list
    .toString('latin1')
    .split('\0')
    .map((line) => {
      const bytes = Buffer.from(line, 'latin1');
      try {
        return exact.decode(bytes);
      } catch {
        return line.replaceAll(
          /[\u0080-\u00ff]/g,
          (byte) => `\0${byte.charCodeAt(0).toString(16)}`,
        );
      }
    });
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: Buffer | string; message: string };
  return (String(stderr ?? '') || message).trim().split('\n').at(-1) ?? '';
}

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
    { named, allow: [...(judges.by.policy.allow ?? []), ...(flags.allow ?? [])] },
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
  readonly by: Pick<CheckInput, 'policy' | 'policyArgument' | 'baseline'>;
  readonly notices: readonly string[];
}

/** Loads policy and baseline from the target branch. Changes to them count after the merge. */
async function loadJudges(job: Job): Promise<Judges> {
  const { flags, folder } = job;
  const named =
    flags.policy === undefined ? undefined : await requireJudge(flags.policy, 'policy', job);
  const found = named
    ? { policy: requirePolicy(named), file: named }
    : await usualPolicy((name) => judgeFile(posix.join(folder, name), job));
  const { policy = defaultPolicy(), file } = found ?? {};
  const own = policy.baseline && file && posix.join(posix.dirname(file.path), policy.baseline);
  const wanted = flags.baseline ?? own;
  const saved = wanted === undefined ? undefined : await requireJudge(wanted, 'baseline', job);
  return {
    by: {
      policy,
      policyArgument: file?.argument,
      baseline: saved && { report: parseReport(saved.text, saved.source), source: saved.source },
    },
    notices: [...(file?.notices ?? noPolicyNotices(job)), ...(saved?.notices ?? [])],
  };
}

interface JudgeFile extends PolicyFile {
  readonly path: string;
  /** The file as a shell argument. */
  readonly argument: string;
  readonly notices: readonly string[];
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
    argument: gitShow(at),
    notices: same ? [] : [`this pull request changes ${path}; ${untilMerged(ref)}`],
  };
}

function untilMerged(ref: string): string {
  return `it is judged by the one on ${ref} until that is merged`;
}

/** An object of git as a shell argument. */
function gitShow(at: string): string {
  return `<(git show ${quote(at)})`;
}

/** Judges one config. An error about it is printed and does not stop the others. */
/** Reads a config of the target branch, and says how a shell reads it. */
async function baseAt(at: string, id: string, repository: Repository): Promise<BaseConfig> {
  return { text: await repository.read(id), source: at, file: undefined, argument: gitShow(at) };
}

async function judgeOne(config: ChangedConfig, judges: Judges, job: Job): Promise<number> {
  const { repository, ref, root, flags, environment } = job;
  const { path, id, before, beside } = config;
  const { stdout } = environment;
  stdout.write(`\n${path}\n`);
  if (!before) stdout.write('It is new on this branch, so it gives its own reference.\n');
  try {
    const read = { text: await repository.read(id), source: path, file: resolve(root, path) };
    const base = before && (await baseAt(`${ref}:${before.path}`, before.id, repository));
    const input = { config: read, base, beside, ...judges.by };
    const { result } = await judgeConfig(input, flags, [], environment);
    return result.exitCode;
  } catch (error) {
    const code = explainFailure(error, environment);
    if (error instanceof InterruptedError) return code;
    if (onGitHub(environment) && error instanceof Error) {
      stdout.command('error', { file: path, title: 'rope-eval' }, error.message);
    }
    return code;
  }
}
