import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkedVersions } from '../../src/emit/version.js';
import { renewed, type Results } from '../../tools/conformance/docs.js';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

const results = JSON.parse(read('tools/conformance/results.json')) as Results;

describe('what engines were found to make of the settings', () => {
  it('stands in the page as it was found', () => {
    const page = read('docs/engines.md');
    expect(renewed(page, results)).toBe(page);
  });

  it('covers the versions that emit names', () => {
    for (const [engine, versions] of Object.entries(results)) {
      expect(checkedVersions(engine).toSorted()).toEqual(Object.keys(versions).toSorted());
    }
  });
});
