import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RopeEvalError } from '../errors.js';
import { type ReadObject, Tree, type TreeEntry } from '../gate/tree.js';
import { BOUNDS } from '../json/bounds.js';

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

  /** Reads the text of an object, up to the length limit of a config. */
  readonly read: ReadObject = async (id) => {
    try {
      const bytes = await this.#bytes(['cat-file', 'blob', id], BOUNDS.textLength);
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      throw new RopeEvalError('unreadable', {
        problem: `git cannot read the object ${id}: ${lastLine(error)}`,
        hint: `A config is UTF-8 text of at most ${BOUNDS.textLength} bytes; a partial clone lacks objects.`,
      });
    }
  };

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

/**
 * Splits output at zero bytes. Paths that are not UTF-8 keep their bytes, so that they stay
 * distinct.
 */
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
