import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../helpers/built.js';

const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs', 'training', 'tools']
  .flatMap((where) =>
    where.endsWith('.md') ? [where] : globSync(`${where}/**/*.md`, { cwd: ROOT }),
  )
  .concat('fixtures/probe-models/README.md');

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** A quoted title such as `"Transfer"` after a link names a section of the linked page. */
const SECTION = /\]\(([\w./-]+\.md)\),\s"([^"\n]{2,60})"/g;

describe.each(PAGES)('%s', (page) => {
  const text = read(page);

  it('links to files that are there', () => {
    const targets = [...text.matchAll(/\]\(([^)\s#:]+)(?:#[^)]*)?\)/g)].map((found) => found[1]!);
    const lost = targets.filter((to) => !existsSync(join(ROOT, dirname(page), to)));
    expect(lost).toEqual([]);
  });

  it('names sections that are there', () => {
    const lost = [...text.matchAll(SECTION)].filter(([, to, section]) => {
      const path = join(dirname(page), to!);
      return !read(path).includes(`# ${section!.replaceAll(/\s+/g, ' ')}`);
    });
    expect(lost.map(([all]) => all)).toEqual([]);
  });

  it('names sources that are there', () => {
    const named = [
      ...text.matchAll(/`((?:src|test|tools|training|bench|fixtures)\/[\w./-]+\.\w+)`/g),
    ];
    // The link leads to another repository.
    const lost = named.map((found) => found[1]!).filter((path) => !existsSync(join(ROOT, path)));
    expect(lost.filter((path) => path !== 'tools/server/README.md')).toEqual([]);
  });
});
