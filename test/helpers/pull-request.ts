import { execFileSync } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FakeOptions, type Ran, runCli } from './environment.js';
import { EQUAL } from './judge.js';
import { temporaryFolder } from './temporary.js';

export const MODEL = JSON.parse(
  await readFile('test/demo-repo/model/config.json', 'utf8'),
) as Readonly<Record<string, unknown>>;
export const linear = { ...MODEL, rope_scaling: { rope_type: 'linear', factor: 8 } };

export interface Demo {
  readonly checkout: string;
  readonly git: (...words: string[]) => string;
}

/**
 * Makes a clone of the demo repository on the branch of a pull request, with the edit committed.
 */
export async function pullRequest(
  edit: (root: string, git: Demo['git']) => Promise<void>,
): Promise<Demo> {
  const folder = await temporaryFolder();
  const [origin, checkout] = [join(folder, 'origin'), join(folder, 'checkout')];
  await cp('test/demo-repo', origin, { recursive: true });
  const gitIn =
    (cwd: string) =>
    (...words: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {
        cwd,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
  const git = gitIn(origin);
  git('init', '--quiet', '--initial-branch=main');
  git('add', '.');
  git('commit', '--quiet', '-m', 'model');
  git('checkout', '--quiet', '-b', 'change');
  await edit(origin, git);
  git('add', '-A');
  git('commit', '--quiet', '--allow-empty', '-m', 'change');
  gitIn(folder)('clone', '--quiet', '--depth=1', '--branch=change', `file://${origin}`, checkout);
  return { checkout, git: gitIn(checkout) };
}

interface Judged extends Ran {
  /** Sources of the configs that were evaluated. */
  readonly judged: readonly (string | undefined)[];
}

export async function judge(
  { checkout }: Demo,
  argv: readonly string[] = [],
  options: FakeOptions = {},
): Promise<Judged> {
  const ran = await runCli(['pull-request', '--base-ref=main', ...argv], {
    cwd: checkout,
    evaluate: async () => EQUAL,
    ...options,
  });
  return { ...ran, judged: ran.calls.map(({ options: given }) => given.source) };
}

export const write = (path: string, value: unknown): Promise<void> =>
  writeFile(path, typeof value === 'string' ? value : JSON.stringify(value, null, 2));
