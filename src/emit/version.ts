import { readFileSync } from 'node:fs';
import { RopeEvalError } from '../errors.js';
import { isRecord } from '../json/parse.js';

/** `0.30.1` is [0, 30, 1]; what is left out is 0. */
export type Version = readonly [major: number, minor: number, patch: number];

/**
 * Reads `0.30`, `v0.30.1`, `5`.
 *
 * @throws RopeEvalError `invalid_value`
 */
export function parseVersion(text: string): Version {
  const match = /^v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?(?:[.+-].{0,60}|(?:a|b|rc)\d+)?$/.exec(
    text.trim(),
  );
  if (match === null) {
    throw new RopeEvalError('invalid_value', {
      option: 'engineVersion',
      problem: `a version such as 0.30 is needed, found ${JSON.stringify(text)}`,
    });
  }
  return [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)];
}

/** Below 0, 0 or above 0, as one version stands before, at or after another. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function atLeast(version: Version, from: string): boolean {
  return compareVersions(version, parseVersion(from)) >= 0;
}

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
