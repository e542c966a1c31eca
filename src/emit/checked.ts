import { readFileSync } from 'node:fs';
import { isRecord } from '../json/parse.js';

/**
 * Versions of engines whose own code read what emit writes, and made of it what was meant; written
 * by tools/conformance. Oldest first.
 */
export function checkedVersions(engine: string): readonly string[] {
  const versions = isRecord(CHECKED) ? CHECKED[engine] : undefined;
  return Array.isArray(versions) ? versions.map(String) : [];
}

const CHECKED: unknown = JSON.parse(
  readFileSync(new URL('./data/checked.json', import.meta.url), 'utf8'),
);
