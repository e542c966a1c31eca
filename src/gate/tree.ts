import { posix } from 'node:path';

/** A file of a commit, as `git ls-tree` lists it. */
export interface TreeEntry {
  /** From the root of the repository. */
  readonly path: string;
  /** `link`: a symlink; `commit`: a submodule. */
  readonly kind: 'file' | 'link' | 'commit';
  /** Object id of the content. */
  readonly id: string;
}

/** Reads the content of an object; for a link, its target. */
export type ReadObject = (id: string) => Promise<string>;

/** What a path of a commit leads to. */
export type Resolved =
  | { readonly kind: 'file'; readonly path: string; readonly id: string }
  | { readonly kind: 'folder'; readonly path: string }
  /** Nothing is there, or a link leads to something that the commit does not contain. */
  | { readonly kind: 'absent' }
  /** A link leads out of the repository or into a submodule, or in a circle. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** The same limit of links in a row as on Linux. */
const MAX_LINKS = 40;

/** The files of one commit. Links are followed inside the commit and never on the disk. */
export class Tree {
  readonly #entries: ReadonlyMap<string, TreeEntry>;
  readonly #folders: ReadonlySet<string>;
  readonly #inFolders: ReadonlyMap<string, readonly string[]>;

  constructor(
    entries: readonly TreeEntry[],
    private readonly read: ReadObject,
  ) {
    this.#entries = new Map(entries.map((entry) => [entry.path, entry]));
    const folders = new Set<string>(['']);
    const inFolders = new Map<string, string[]>();
    for (const { path } of entries) {
      const others = inFolders.get(parentOf(path));
      if (others === undefined) inFolders.set(parentOf(path), [path]);
      else others.push(path);
      for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
        if (folders.has(folder)) break;
        folders.add(folder);
      }
    }
    this.#folders = folders;
    this.#inFolders = inFolders;
  }

  /**
   * The paths at which a program that loads models would find a config: files and links with this
   * name in any spelling, and links to folders that contain one.
   */
  async configs(): Promise<readonly string[]> {
    const paths: string[] = [];
    for (const { path, kind } of this.#entries.values()) {
      if (kind !== 'commit' && isConfigName(path)) paths.push(path);
      else if (kind === 'link') {
        const inside = `${path}/${CONFIG}`;
        if ((await this.resolve(inside)).kind === 'file') paths.push(inside);
      }
    }
    return paths.sort();
  }

  /** Entries that another commit lacks, or has with other content. */
  changedSince(other: Tree): readonly TreeEntry[] {
    return [...this.#entries.values()].filter(
      ({ path, kind, id }) => other.get(path)?.id !== id || other.get(path)?.kind !== kind,
    );
  }

  get files(): readonly TreeEntry[] {
    return [...this.#entries.values()].filter(({ kind }) => kind === 'file');
  }

  /** Paths of the files and links directly in a folder. */
  filesIn(folder: string): readonly string[] {
    return this.#inFolders.get(folder === '.' ? '' : folder) ?? [];
  }

  get(path: string): TreeEntry | undefined {
    return this.#entries.get(path);
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
    return { kind: 'folder', path: at };
  }
}

export const CONFIG = 'config.json';

/**
 * Normalizes a path as the most lenient file systems do: letters of any case and form are equal
 * (APFS, NTFS), invisible characters are ignored (HFS+), and so are dots and spaces at the end of a
 * name (Windows).
 */
export function folded(path: string): string {
  return path
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toUpperCase()
    .toLowerCase()
    .split('/')
    .map((name) => name.replace(/[. ]+$/, ''))
    .join('/');
}

/** Whether a path names a config.json on any file system. */
export function isConfigName(path: string): boolean {
  return folded(posix.basename(path)) === CONFIG;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}
