import { posix } from 'node:path';
import { RopeEvalError } from '../errors.js';
import { holdsKey, isRecord, sameValue } from '../json/parse.js';
import { isMistralParams } from '../model/other-formats.js';
import {
  CONFIG,
  folded,
  isConfigName,
  type ReadObject,
  type Tree,
  type TreeEntry,
} from './tree.js';

/** A config as a pull request leaves it, and as it was on the target branch. Links are followed. */
export interface ChangedConfig extends Found {
  /** undefined: git says that the config is new. */
  readonly before: Found | undefined;
  /** Other changed files that affect the model, because keys of the config refer to them. */
  readonly beside: readonly Beside[];
}

export interface PullRequest {
  readonly changed: readonly ChangedConfig[];
  /** Notes for the reader of the log: what was moved or deleted. */
  readonly notices: readonly string[];
}

/** Both sides of a pull request: the target branch, and what would be merged. */
export interface Sides {
  readonly base: Tree;
  readonly head: Tree;
  readonly read: ReadObject;
}

/** What the user limits the check to. */
export interface Wanted {
  /** Paths from the root of the repository; empty: every config that changed. */
  readonly named?: readonly string[];
  /** Paths that may change although what they lead to cannot be read. */
  readonly allow?: readonly string[];
}

/** The most configs that one job judges. A pull request with more was not edited by hand. */
const MOST_CONFIGS = 100;

/** The most links that are followed, because each costs a call of git. */
const MOST_LINKS = 1000;

/**
 * Finds the configs that a pull request changes, each with its previous version. A moved config is
 * compared with its version before the move. Links are followed in the commits, never on the disk.
 *
 * @throws RopeEvalError `unreadable`, `missing_file`, `too_many_arguments` (exit 2), because what
 *   cannot be gated must not pass
 */
export async function changedConfigs(
  sides: Sides,
  { named = [], allow = [] }: Wanted = {},
): Promise<PullRequest> {
  const { base, head } = sides;
  if (named.length === 0) await refuseHidden(sides, allow);
  const old = await configsOf(base, 'the target branch', sides);
  const all =
    named.length > 0
      ? await Promise.all(named.map((path) => namedConfig(head, path)))
      : await configsOf(head, 'this pull request', sides);
  const gone = await goneFrom(old, head);
  const notices: string[] = [];
  const changed: ChangedConfig[] = [];
  for (const each of all) {
    const beside = await filesBeside(each, sides);
    const same = await base.resolve(each.path);
    if (same.kind === 'unreadable') throw unreadable(`${each.path} on the target branch`, same.why);
    if (same.kind === 'file' && same.id === each.id && named.length === 0 && beside.length === 0) {
      continue;
    }
    const before =
      same.kind === 'file'
        ? { path: each.path, id: same.id }
        : (sameButForSpelling(each, old) ?? (await movedFrom(each, gone, sides)));
    if (before && before.path !== each.path) {
      notices.push(`${each.path} was ${before.path} and is compared with it`);
      const at = gone.findIndex(({ path }) => path === before.path);
      if (at !== -1) gone.splice(at, 1);
      // The config was moved without a change.
      if (before.id === each.id && named.length === 0 && beside.length === 0) continue;
    }
    changed.push({ ...each, before, beside });
  }
  if (changed.length > MOST_CONFIGS) {
    throw new RopeEvalError('too_many_arguments', {
      problem: `${changed.length} configs change, and ${MOST_CONFIGS} are judged at most`,
      hint: 'Split the pull request, or name the configs to judge.',
    });
  }
  refuseDoubtfulMoves(changed, gone);
  notices.push(...gone.map(({ path }) => `${path} is deleted: there is nothing to judge`));
  return { changed, notices };
}

/** Finds the configs of the target branch that the pull request moved or deleted. */
async function goneFrom(old: readonly Found[], head: Tree): Promise<Found[]> {
  const gone: Found[] = [];
  for (const each of old) {
    const left = await head.resolve(each.path);
    if (left.kind === 'unreadable') throw unreadable(each.path, left.why);
    if (left.kind === 'folder') throw unreadable(each.path, 'is a folder now');
    if (left.kind === 'absent') gone.push(each);
  }
  return gone;
}

/** Refuses an edited config that may come from either of two that are gone. */
function refuseDoubtfulMoves(changed: readonly ChangedConfig[], [lost]: readonly Found[]): void {
  const edited = changed.find(
    ({ path, id, before }) => before && folded(before.path) !== folded(path) && before.id !== id,
  );
  if (!lost || !edited?.before) return;
  throw unreadable(
    edited.path,
    `may be what became of ${edited.before.path} or of ${lost.path}, and is the same as neither`,
    'Move one and delete the other in pull requests of their own, or move them as they are.',
  );
}

/**
 * Refuses new or changed links and submodules whose contents are not in the commit, because a model
 * may lie there that cannot be read.
 *
 * @throws RopeEvalError `unreadable`
 */
async function refuseHidden({ base, head }: Sides, allow: readonly string[]): Promise<void> {
  const entries = head.changedSince(base).filter(({ path }) => !allow.includes(path));
  const links = entries.filter(({ kind }) => kind === 'link');
  if (links.length > MOST_LINKS) {
    throw new RopeEvalError('too_many_arguments', {
      problem: `${links.length} links change, and ${MOST_LINKS} are followed at most`,
      hint: 'Split the pull request, or name the configs to judge.',
    });
  }
  for (const { path } of entries.filter(({ kind }) => kind === 'commit')) {
    throw unreadable(path, 'is a submodule that this pull request brings or moves', ALLOW);
  }
  for (const { path } of links) {
    const found = await head.resolve(path);
    if (found.kind === 'unreadable') throw unreadable(path, found.why, ALLOW);
    if (found.kind === 'absent')
      throw unreadable(path, 'is a link to nothing in this commit', ALLOW);
  }
}

const ALLOW =
  'A model may lie there that nobody can judge. The list `allow` of the policy takes its path, where it is none.';

/** A changed file that affects the model besides its config. */
export interface Beside {
  /** The key of the config that names such files. */
  readonly key: 'auto_map' | 'configuration_files';
  readonly path: string;
}

/** The config keys that refer to files, and what those files are called in the config's folder. */
const NAMED_FILES: readonly { readonly key: Beside['key']; readonly file: RegExp }[] = [
  { key: 'auto_map', file: /\.py$/i },
  { key: 'configuration_files', file: /^config\..*\.json$/i },
];

/**
 * Finds changed files in a config's folder that transformers reads because the config refers to
 * them: code that ships with the model, and configs for other versions.
 */
async function filesBeside(
  { path, id }: Found,
  { base, head, read }: Sides,
): Promise<readonly Beside[]> {
  const found: Beside[] = [];
  const real = await head.resolve(path);
  const folders = [path, real.kind === 'file' ? real.path : path].map(posix.dirname);
  for (const folder of new Set(folders)) {
    for (const file of new Set([...base.filesIn(folder), ...head.filesIn(folder)])) {
      const named = NAMED_FILES.find((each) => each.file.test(posix.basename(file)));
      if (named === undefined || file === path) continue;
      const [was, is] = [await base.resolve(file), await head.resolve(file)];
      if (!sameValue(was, is)) found.push({ key: named.key, path: file });
    }
  }
  if (found.length === 0) return [];
  const text = await read(id);
  return found.filter(({ key }) => mentions(text, key));
}

/** Whether a text has a key at any depth. Text that is not JSON is refused when it is judged. */
function mentions(text: string, key: string): boolean {
  try {
    return holdsKey(JSON.parse(text.replace(/^\uFEFF/, '')), key);
  } catch {
    return false;
  }
}

type Found = Pick<TreeEntry, 'path' | 'id'>;

async function configsOf(
  tree: Tree,
  side: string,
  { base, head, read }: Sides,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const path of await tree.configs()) {
    const resolved = await tree.resolve(path);
    if (resolved.kind === 'unreadable') throw unreadable(`${path} on ${side}`, resolved.why);
    // Nobody could load a config through a link that leads nowhere.
    if (resolved.kind === 'file') found.push({ path, id: resolved.id });
  }
  for (const { path, id } of tree.files) {
    if (folded(posix.basename(path)) !== PARAMS) continue;
    // The name is common, so the file counts only if it holds, or held, a model.
    const texts = [base.get(path)?.id, head.get(path)?.id, id].filter((each) => each !== undefined);
    const models = await Promise.all(
      [...new Set(texts)].map(async (each) => isParams(await read(each))),
    );
    if (models.includes(true)) found.push({ path, id });
  }
  return found;
}

/** The config of a model in Mistral's own format. */
const PARAMS = 'params.json';

function isParams(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && isMistralParams(value);
  } catch {
    return false;
  }
}

async function namedConfig(head: Tree, path: string): Promise<Found> {
  const file = head.isFolder(path) ? posix.join(path, CONFIG) : path;
  const resolved = await head.resolve(file);
  if (resolved.kind === 'unreadable') throw unreadable(path, resolved.why);
  if (resolved.kind === 'folder') throw unreadable(path, 'is a folder');
  if (resolved.kind === 'file') return { path: file, id: resolved.id };
  throw new RopeEvalError('missing_file', {
    file,
    problem: 'there is no such file in this pull request',
    hint: 'Paths are those of the repository, from the folder that the job works in.',
  });
}

function unreadable(
  file: string,
  why: string,
  hint = 'What cannot be read cannot be judged, so it does not pass.',
): RopeEvalError {
  return new RopeEvalError('unreadable', { file, predicate: why, hint });
}

/** Finds a config whose path differs only in spelling, as on case-insensitive file systems. */
function sameButForSpelling({ path }: Found, old: readonly Found[]): Found | undefined {
  return old.find((each) => folded(each.path) === folded(path));
}

/**
 * Finds what a config was before it moved: the most similar of the configs that are gone. There is
 * no minimum of similarity among these, because an author can edit a moved file as much as they
 * like; the message then says what was lost.
 */
async function movedFrom(
  { path, id }: Found,
  gone: readonly Found[],
  { base, head, read }: Sides,
): Promise<Found | undefined> {
  const pool = gone.length > 0 || isConfigName(path) ? gone : goneJson(base, head);
  if (pool.length === 0) return undefined;
  const exact = pool.find((each) => each.id === id);
  if (exact) return exact;
  const text = await read(id);
  const scored = await Promise.all(
    pool.map(async (each) => ({ each, score: likeness(await read(each.id), text) })),
  );
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a));
  return gone.length > 0 || best.score >= HALF ? best.each : undefined;
}

/** Lists the JSON files that are gone, because a config that is named may have any name. */
function goneJson(base: Tree, head: Tree): readonly Found[] {
  return base.files
    .filter(({ path }) => /\.jsonc?$/i.test(path) && !head.has(path))
    .slice(0, MOST_CONFIGS)
    .map(({ path, id }) => ({ path, id }));
}

const HALF = 0.5;

/** The share of the old text's lines that the new text has. */
function likeness(old: string, now: string): number {
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .map((line) => line.trim().replace(/,$/, ''))
      .filter((line) => line.length > 1);
  const kept = new Set(lines(now));
  const all = lines(old);
  return all.filter((line) => kept.has(line)).length / Math.max(1, all.length);
}
