import { BLOCK_FINDINGS } from './block.js';
import { CANDIDATE_FINDINGS, ENCODING_FINDINGS } from './candidate.js';
import { CHANGE_FINDINGS } from './change.js';
import { type Args, type FindingEntry, fits, type Severity } from './entry.js';
import { MODEL_FINDINGS } from './model.js';
import { SERVING_FINDINGS } from './serving.js';

/** Every finding by its name. A new one is an entry in the file of its subject. */
const FINDINGS = {
  ...BLOCK_FINDINGS,
  ...MODEL_FINDINGS,
  ...ENCODING_FINDINGS,
  ...CANDIDATE_FINDINGS,
  ...SERVING_FINDINGS,
  ...CHANGE_FINDINGS,
};

/** The name of a finding where one is made, e.g. `missing_rope_type`. */
export type FindingName = keyof typeof FINDINGS;

type ArgsOf<N extends FindingName> = Args<(typeof FINDINGS)[N]['args']>;

interface Found<N extends FindingName> {
  /** Stable code, e.g. `RE012`; the catalogue says what it means. */
  readonly code: (typeof FINDINGS)[N]['code'];
  readonly severity: Severity;
  /** Where: a path into the config such as `rope_scaling.factor`; '' = the whole file. */
  readonly path: string;
  /** Values for the message: what was found, what would be right. */
  readonly args: ArgsOf<N>;
}

/** A finding is data: a code and its values. `wordFinding` makes a sentence of it. */
export type Finding = { [N in FindingName]: Found<N> }[FindingName];

/** A finding as a saved report holds it, which may come from another version. */
export interface SavedFinding {
  readonly code: string;
  readonly severity: Severity;
  readonly path: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Every finding by its code. A Map: codes come from the command line. */
export const CATALOGUE: ReadonlyMap<string, FindingEntry> = new Map(
  Object.values(FINDINGS).map((entry) => [entry.code, entry as FindingEntry]),
);

if (CATALOGUE.size !== Object.keys(FINDINGS).length) {
  throw new TypeError('two findings have the same code');
}

/** What follows name and path: nothing where a finding has no arguments. */
type Rest<N extends FindingName> =
  Record<never, never> extends ArgsOf<N>
    ? [args?: ArgsOf<N>, severity?: Severity]
    : [args: ArgsOf<N>, severity?: Severity];

/**
 * A finding by its name: `finding('factor_below_one', path, { factor })`. The severity is that of
 * the catalogue unless the place decides it.
 */
export function finding<N extends FindingName>(
  name: N,
  path: string,
  ...[args, severity]: Rest<N>
): Finding {
  const { code, severity: usual } = FINDINGS[name];
  // The code and its arguments belong together by the signature.
  return { code, severity: severity ?? usual, path, args: args ?? {} } as Finding;
}

/** The name of a finding, e.g. `missing_rope_type`; its code where no entry has it. */
export function findingName({ code }: SavedFinding): string {
  const found = Object.entries(FINDINGS).find(([, entry]) => entry.code === code);
  return found?.[0] ?? code;
}

/** One sentence for people: the path, then what was found and what would be right. */
export function wordFinding({ code, path, args }: SavedFinding): string {
  const entry = CATALOGUE.get(code);
  const text =
    entry && fits(entry.args, args) ? entry.message(args as never) : (entry?.title ?? code);
  return path === '' ? text : `${path}: ${text}`;
}

export { type FindingEntry, type Severity } from './entry.js';
