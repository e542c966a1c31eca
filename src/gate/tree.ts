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
