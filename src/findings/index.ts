import { BLOCK_FINDINGS } from './block.js';
import { CANDIDATE_FINDINGS, ENCODING_FINDINGS, SERVING_FINDINGS } from './candidate.js';
import { CHANGE_FINDINGS } from './change.js';
import { type Args, type FindingEntry, fits, type Severity } from './entry.js';
import { MODEL_FINDINGS } from './model.js';

/** Every finding by its name. A new one is an entry in the file of its topic. */
const FINDINGS = {
  ...BLOCK_FINDINGS,
  ...MODEL_FINDINGS,
  ...ENCODING_FINDINGS,
  ...CANDIDATE_FINDINGS,
  ...SERVING_FINDINGS,
  ...CHANGE_FINDINGS,
};

/** The name of a finding in code, e.g. `missing_rope_type`. */
export type FindingName = keyof typeof FINDINGS;

type ArgsOf<N extends FindingName> = Args<(typeof FINDINGS)[N]['args']>;

interface Found<N extends FindingName> {
  /** The stable code, e.g. `RE012`; the catalogue explains it. */
  readonly code: (typeof FINDINGS)[N]['code'];
  readonly severity: Severity;
  /** A path into the config such as `rope_scaling.factor`; '' = the whole file. */
  readonly path: string;
  /** The values for the message: what was found, and what would be right. */
  readonly args: ArgsOf<N>;
}

/** A finding is data: a code and its values. `wordFinding` turns it into a sentence. */
export type Finding = { [N in FindingName]: Found<N> }[FindingName];

/** A finding as a saved report holds it. The report may come from another version. */
export interface SavedFinding {
  readonly code: string;
  readonly severity: Severity;
  readonly path: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Every finding by its code. This is a Map because codes come from the command line. */
export const CATALOGUE: ReadonlyMap<string, FindingEntry> = new Map(
  Object.values(FINDINGS).map((entry) => [entry.code, entry as FindingEntry]),
);

if (CATALOGUE.size !== Object.keys(FINDINGS).length) {
  throw new TypeError('two findings have the same code');
}

/** The parameters after name and path. The arguments are optional for a finding that has none. */
type Rest<N extends FindingName> =
  Record<never, never> extends ArgsOf<N>
    ? [args?: ArgsOf<N>, severity?: Severity]
    : [args: ArgsOf<N>, severity?: Severity];

/**
 * Makes a finding by its name: `finding('factor_below_one', path, { factor })`.
 *
 * @param path into the config, e.g. `rope_scaling.factor`; '' for the whole file
 * @param severity overrides the severity of the catalogue
 */
export function finding<N extends FindingName>(
  name: N,
  path: string,
  ...[args, severity]: Rest<N>
): Finding {
  const { code, severity: usual } = FINDINGS[name];
  // The signature guarantees that the code and its arguments belong together.
  return { code, severity: severity ?? usual, path, args: args ?? {} } as Finding;
}

/** Returns the name of a finding, e.g. `missing_rope_type`, or its code if no entry has it. */
export function findingName({ code }: SavedFinding): string {
  const found = Object.entries(FINDINGS).find(([, entry]) => entry.code === code);
  return found?.[0] ?? code;
}

/**
 * Words a finding in one sentence: the path, then what was found and what would be right. A finding
 * of an unknown code, or with unexpected arguments, gets its title or its code.
 */
export function wordFinding({ code, path, args }: SavedFinding): string {
  const entry = CATALOGUE.get(code);
  const text =
    entry && fits(entry.args, args) ? entry.message(args as never) : (entry?.title ?? code);
  return path === '' ? text : `${path}: ${text}`;
}

export { type FindingEntry, type Severity } from './entry.js';
