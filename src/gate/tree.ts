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

/** The content of an object; for links, where they lead. */
export type ReadObject = (id: string) => Promise<string>;

/** Where a path of a commit leads. */
export type Resolved =
  | { readonly kind: 'file'; readonly path: string; readonly id: string }
  | { readonly kind: 'folder'; readonly path: string }
  /** Nothing is there; for a link: it leads to nothing that the commit holds. */
  | { readonly kind: 'absent' }
  /** A link out of the repository or into a submodule, or a circle. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** As many links in a row as Linux follows. */
const MAX_LINKS = 40;

/** The files of one commit; links are followed inside of it and never on the disk. */
export class Tree {
  readonly #entries: ReadonlyMap<string, TreeEntry>;
  readonly #folders: ReadonlySet<string>;
  readonly #inFolders: ReadonlyMap<string, readonly string[]>;
  readonly #targets = new Map<string, Promise<string>>();

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
   * Paths under which somebody who loads models would find a config: files and links of this name
   * in any spelling, and folders that are links.
   */
  async configs(): Promise<readonly string[]> {
    const paths: string[] = [];
    for (const { path, kind } of this.#entries.values()) {
      if (kind !== 'commit' && isConfigName(path)) paths.push(path);
      else if (kind === 'link' && (await this.#leadsToModel(path))) paths.push(`${path}/${CONFIG}`);
    }
    return paths.sort();
  }

  async #leadsToModel(link: string): Promise<boolean> {
    return (await this.resolve(`${link}/${CONFIG}`)).kind === 'file';
  }

  /** Entries that another commit does not have, or has with another content. */
  changedSince(other: Tree): readonly TreeEntry[] {
    return [...this.#entries.values()].filter(
      ({ path, kind, id }) => other.get(path)?.id !== id || other.get(path)?.kind !== kind,
    );
  }

  get files(): readonly TreeEntry[] {
    return [...this.#entries.values()].filter(({ kind }) => kind === 'file');
  }

  /** Paths of the files and links in a folder, without those below it. */
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

  #target({ id }: TreeEntry): Promise<string> {
    const target = this.#targets.get(id) ?? this.read(id);
    this.#targets.set(id, target);
    return target;
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
        const target = await this.#target(entry);
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
 * A path as the most forgiving file system reads it: letters of any case and form are one (APFS,
 * NTFS), invisible characters are none (HFS+), and dots and blanks at the end of a name are left
 * out (Windows).
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

/** Whether a path names a config.json, on whatever file system. */
export function isConfigName(path: string): boolean {
  return folded(posix.basename(path)) === CONFIG;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}
