import { readFileSync } from 'node:fs';
import { RopeEvalError } from '../errors.js';
import { isRecord } from '../json/parse.js';

/** `0.30.1` is [0, 30, 1]. Missing parts are 0. */
export type Version = readonly [major: number, minor: number, patch: number];

/**
 * Parses a version such as `0.30`, `v0.30.1` or `5`.
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

/** Compares two versions: the result is below 0 if `a` is earlier, and above 0 if it is later. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Whether a version is `from` or later. */
export function atLeast(version: Version, from: string): boolean {
  return compareVersions(version, parseVersion(from)) >= 0;
}

/**
 * Lists the versions of an engine whose own code read what emit writes as intended, oldest first.
 * tools/conformance writes the data.
 */
export function checkedVersions(engine: string): readonly string[] {
  const versions = isRecord(CHECKED) ? CHECKED[engine] : undefined;
  return Array.isArray(versions) ? versions.map(String) : [];
}

const CHECKED: unknown = JSON.parse(
  readFileSync(new URL('./data/checked.json', import.meta.url), 'utf8'),
);
