import { BLOCK_FINDINGS } from './block.js';
import { CANDIDATE_FINDINGS } from './candidate.js';
import { CHANGE_FINDINGS } from './change.js';
import { ENCODING_FINDINGS } from './encoding.js';
import { MODEL_FINDINGS } from './model.js';
import { SERVING_FINDINGS } from './serving.js';
import type { CatalogueEntry, Finding, Severity } from './types.js';

const ENTRIES = [
  ...BLOCK_FINDINGS,
  ...MODEL_FINDINGS,
  ...ENCODING_FINDINGS,
  ...CANDIDATE_FINDINGS,
  ...SERVING_FINDINGS,
  ...CHANGE_FINDINGS,
];

/** Every finding by its code. A Map: codes come from the command line. */
export const CATALOGUE: ReadonlyMap<string, CatalogueEntry> = new Map(
  ENTRIES.map((entry) => [entry.code, Object.freeze(entry)]),
);

const BY_KIND: ReadonlyMap<string, CatalogueEntry> = new Map(
  ENTRIES.map((entry) => [entry.kind, entry]),
);

/** A finding by its kind, e.g. `finding('factor_below_one', path, { factor })`. */
export function finding(
  kind: string,
  path: string,
  args: Finding['args'] = {},
  severity?: Severity,
): Finding {
  const entry = BY_KIND.get(kind);
  if (entry === undefined) throw new Error(`no finding of kind ${kind}`);
  return { code: entry.code, severity: severity ?? entry.severity, path, args };
}

/** The name of a finding for machines, e.g. `missing_rope_type`. */
export function findingKind(found: Finding): string {
  return CATALOGUE.get(found.code)?.kind ?? found.code;
}

/** One sentence for people: the path, then what was found and what would be right. */
export function wordFinding(found: Finding): string {
  const entry = CATALOGUE.get(found.code);
  const text = entry === undefined ? found.code : entry.message(found.args);
  return found.path === '' ? text : `${found.path}: ${text}`;
}

export { type CatalogueEntry } from './types.js';
