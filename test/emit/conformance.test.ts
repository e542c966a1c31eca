import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkedVersions } from '../../src/emit/types.js';
import { renewed, type Results } from '../../tools/conformance/docs.js';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

function compareText(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

const results = JSON.parse(read('tools/conformance/results.json')) as Results;

describe('what engines were found to make of the settings', () => {
  it('stands in the page as it was found', () => {
    const page = read('docs/engines.md');
    expect(renewed(page, results)).toBe(page);
  });

  it('covers the versions that emit names', () => {
    for (const [engine, versions] of Object.entries(results)) {
      const { versions: named, elsewhere } = checkedVersions(engine, 'default', 'llama');
      expect(named).toEqual([...Object.keys(versions)].sort(compareText));
      expect(elsewhere).toEqual([]);
    }
  });

  it('is said by rope type and model type, so that nothing else inherits it', () => {
    const none = { versions: [], elsewhere: [] };
    expect(checkedVersions('sglang', 'ntk-mixed', 'llama')).toEqual(none);
    expect(checkedVersions('tgi', 'yarn', 'llama')).toEqual(none);
    expect(checkedVersions('vllm', 'yarn', 'constructor').versions).toEqual([]);
    expect(checkedVersions('vllm', 'yarn', 'constructor').elsewhere).toContain('0.30.0');
    // vLLM 0.29 has no class that reads these models, and later ones have.
    const { versions, elsewhere } = checkedVersions('vllm', 'yarn', 'olmo3');
    expect(elsewhere).toEqual(['0.29.0']);
    expect(versions).toContain('0.30.0');
  });
});
