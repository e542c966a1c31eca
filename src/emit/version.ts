import { readFileSync } from 'node:fs';
import { RopeEvalError } from '../errors.js';
import type { RopeType } from '../rope/registry.js';

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

/** Versions of an engine whose own code has read what emit writes for a rope type as intended. */
export interface Checked {
  /** On this model type, oldest first. */
  readonly versions: readonly string[];
  /** On other model types only, oldest first. */
  readonly elsewhere: readonly string[];
}

/** Finds what was run of a rope type. tools/conformance writes the data. */
export function checkedVersions(engine: string, ropeType: RopeType, modelType: string): Checked {
  const ran = new Map(Object.entries(CHECKED[engine]?.[ropeType] ?? {}));
  const versions = ran.get(modelType) ?? [];
  const elsewhere = new Set([...ran.values()].flat().filter((each) => !versions.includes(each)));
  const inOrder = [...elsewhere].sort((a, b) => compareVersions(parseVersion(a), parseVersion(b)));
  return { versions, elsewhere: inOrder };
}

/** Versions by engine, rope type and model type. */
type CheckedData = Readonly<
  Partial<Record<string, Partial<Record<RopeType, Readonly<Record<string, readonly string[]>>>>>>
>;

const CHECKED = JSON.parse(
  readFileSync(new URL('./data/checked.json', import.meta.url), 'utf8'),
) as CheckedData;
