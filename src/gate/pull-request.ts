import { posix } from 'node:path';
import { RopeEvalError } from '../errors.js';

/** A config as a pull request leaves it, and as it was on the target branch. */
export interface ChangedConfig {
  /** From the root of the repository. */
  readonly path: string;
  /** Object id of its text; links are followed. */
  readonly id: string;
  /** undefined: the config is new, by git's own word. */
  readonly before: { readonly path: string; readonly id: string } | undefined;
}

export interface PullRequest {
  readonly changed: readonly ChangedConfig[];
  /** What a reader of the log should know: what was moved, deleted or left out. */
  readonly notices: readonly string[];
}

/** Both sides of a pull request: the target branch and what would be merged. */
export interface Sides {
  readonly base: Tree;
  readonly head: Tree;
  readonly read: ReadObject;
}

/** As many as a job can judge; more in one pull request are no edit by hand. */
const MOST_CONFIGS = 100;

/**
 * The configs that a pull request changes, each with what it was. A config that moved is compared
 * with what it was before it moved, and links are followed in the commits, never on the disk.
 *
 * @param named paths from the root of the repository; empty: every config that changed
 * @throws RopeEvalError `unreadable`, `missing_file`, `too_many_arguments` (exit 2): what cannot be
 *   gated does not pass
 */
export async function changedConfigs(
  sides: Sides,
  named: readonly string[] = [],
): Promise<PullRequest> {
  const { base, head } = sides;
  const old = await configsOf(base, 'the target branch');
  const now =
    named.length > 0
      ? await Promise.all(named.map((path) => namedConfig(head, path)))
      : (await configsOf(head, 'this pull request')).filter(
          ({ path, id }) => !old.some((each) => each.path === path && each.id === id),
        );
  if (now.length > MOST_CONFIGS) {
    throw new RopeEvalError('too_many_arguments', {
      problem: `${now.length} configs change, and ${MOST_CONFIGS} are judged at most`,
      hint: 'Split the pull request, or name the configs to judge.',
    });
  }
  const gone: Found[] = [];
  for (const each of old) {
    const left = await head.resolve(each.path);
    if (left.kind === 'unreadable') throw unreadable(each.path, left.why);
    if (left.kind === 'absent') gone.push(each);
  }
  const notices: string[] = [];
  const changed: ChangedConfig[] = [];
  for (const each of now) {
    const same = await base.resolve(each.path);
    if (same.kind === 'unreadable') throw unreadable(`${each.path} on the target branch`, same.why);
    const before =
      same.kind === 'file'
        ? { path: each.path, id: same.id }
        : (sameButForCase(each, old) ?? (await movedFrom(each, gone, sides)));
    if (before && before.path !== each.path) {
      notices.push(`${each.path} was ${before.path} and is compared with it`);
      const at = gone.findIndex(({ path }) => path === before.path);
      if (at !== -1) gone.splice(at, 1);
      // Moved and otherwise left alone.
      if (before.id === each.id && named.length === 0) continue;
    }
    changed.push({ ...each, before });
  }
  notices.push(...gone.map(({ path }) => `${path} is deleted: there is nothing to judge`));
  const links = head.submodules.filter((path) => !base.submodules.includes(path));
  notices.push(...links.map((path) => `${path} is a new submodule: what it holds is not judged`));
  return { changed, notices };
}

interface Found {
  readonly path: string;
  readonly id: string;
}

async function configsOf(tree: Tree, side: string): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const path of await tree.configs()) {
    const resolved = await tree.resolve(path);
    if (resolved.kind === 'unreadable') throw unreadable(`${path} on ${side}`, resolved.why);
    // A link that leads nowhere is no config that anybody could load.
    if (resolved.kind === 'file') found.push({ path, id: resolved.id });
  }
  return found;
}

async function namedConfig(head: Tree, path: string): Promise<Found> {
  const file = head.isFolder(path) ? posix.join(path, CONFIG) : path;
  const resolved = await head.resolve(file);
  if (resolved.kind === 'unreadable') throw unreadable(path, resolved.why);
  if (resolved.kind === 'file') return { path: file, id: resolved.id };
  throw new RopeEvalError('missing_file', {
    file,
    problem: 'there is no such file in this pull request',
    hint: 'Paths are those of the repository, from the folder that the job works in.',
  });
}

function unreadable(file: string, why: string): RopeEvalError {
  return new RopeEvalError('unreadable', {
    file,
    predicate: why,
    hint: 'What cannot be read cannot be judged, so it does not pass.',
  });
}

/** `Config.json` is `config.json` to a file system that does not tell them apart. */
function sameButForCase({ path }: Found, old: readonly Found[]): Found | undefined {
  return old.find((each) => each.path.toLowerCase() === path.toLowerCase());
}

/**
 * What a config was before it moved: of the configs that are gone, the most alike. Any that is gone
 * will do, since a move with an edit can be made as unlike as its author wants; then the message
 * says what was lost.
 */
async function movedFrom(
  { path, id }: Found,
  gone: readonly Found[],
  { base, head, read }: Sides,
): Promise<Found | undefined> {
  const pool = gone.length > 0 || isConfigName(path) ? gone : await goneJson(base, head);
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

function isConfigName(path: string): boolean {
  return posix.basename(path).toLowerCase() === CONFIG;
}

/** Configs that are named one by one may have any name. */
async function goneJson(base: Tree, head: Tree): Promise<readonly Found[]> {
  return base.files
    .filter(({ path }) => /\.jsonc?$/i.test(path) && !head.has(path))
    .slice(0, MOST_CONFIGS)
    .map(({ path, id }) => ({ path, id }));
}

const HALF = 0.5;

/** Share of the lines of the old text that the new one has. */
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

/** A file of a commit, as `git ls-tree` lists it. */
export interface TreeEntry {
  /** From the root of the repository. */
  readonly path: string;
  /** `link`: a symlink; `commit`: a submodule. */
  readonly kind: 'file' | 'link' | 'commit';
  /** Object id of the content. */
  readonly id: string;
}

/** The content of an object; for links, where they lead. */
export type ReadObject = (id: string) => Promise<string>;

/** Where a path of a commit leads. */
export type Resolved =
  | { readonly kind: 'file'; readonly path: string; readonly id: string }
  | { readonly kind: 'absent' }
  /** A link out of the repository or into a submodule, a circle, or a folder. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** As many links in a row as Linux follows. */
const MAX_LINKS = 40;

/** The files of one commit; links are followed inside of it and never on the disk. */
export class Tree {
  readonly #entries: ReadonlyMap<string, TreeEntry>;
  readonly #folders: ReadonlySet<string>;

  constructor(
    entries: readonly TreeEntry[],
    private readonly read: ReadObject,
  ) {
    this.#entries = new Map(entries.map((entry) => [entry.path, entry]));
    const folders = new Set<string>(['']);
    for (const { path } of entries) {
      for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
        if (folders.has(folder)) break;
        folders.add(folder);
      }
    }
    this.#folders = folders;
  }

  /**
   * Paths under which somebody who loads models would find a config: files and links of this name
   * in any spelling, and folders that are links.
   */
  async configs(): Promise<readonly string[]> {
    const paths: string[] = [];
    for (const { path, kind } of this.#entries.values()) {
      if (kind !== 'commit' && posix.basename(path).toLowerCase() === CONFIG) paths.push(path);
      else if (kind === 'link' && (await this.#leadsToModel(path))) paths.push(`${path}/${CONFIG}`);
    }
    return paths.sort();
  }

  async #leadsToModel(link: string): Promise<boolean> {
    return (await this.resolve(`${link}/${CONFIG}`)).kind === 'file';
  }

  /** Submodules, whose files this commit does not hold. */
  get submodules(): readonly string[] {
    return [...this.#entries.values()].filter(({ kind }) => kind === 'commit').map((e) => e.path);
  }

  get files(): readonly TreeEntry[] {
    return [...this.#entries.values()].filter(({ kind }) => kind === 'file');
  }

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  isFolder(path: string): boolean {
    return this.#folders.has(path);
  }

  /** Follows links in every part of a path, as an operating system would. */
  async resolve(path: string): Promise<Resolved> {
    let rest = path.split('/').filter((part) => part !== '' && part !== '.');
    let at = '';
    let links = 0;
    while (rest.length > 0) {
      const [part = '', ...after] = rest;
      rest = after;
      if (part === '..') {
        if (at === '') return { kind: 'unreadable', why: 'leads out of the repository' };
        at = parentOf(at);
        continue;
      }
      const next = at === '' ? part : `${at}/${part}`;
      const entry = this.#entries.get(next);
      if (entry === undefined) {
        if (!this.#folders.has(next)) return { kind: 'absent' };
        at = next;
      } else if (entry.kind === 'commit') {
        return { kind: 'unreadable', why: `lies in the submodule ${next}` };
      } else if (entry.kind === 'file') {
        if (rest.length > 0) return { kind: 'absent' };
        return { kind: 'file', path: next, id: entry.id };
      } else {
        if (++links > MAX_LINKS) return { kind: 'unreadable', why: 'is a circle of links' };
        const target = await this.read(entry.id);
        if (target.startsWith('/')) {
          return { kind: 'unreadable', why: `is a link to ${target}, outside of the repository` };
        }
        rest = [...target.split('/').filter((each) => each !== '' && each !== '.'), ...rest];
      }
    }
    return { kind: 'unreadable', why: 'is a folder' };
  }
}

export const CONFIG = 'config.json';

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}
