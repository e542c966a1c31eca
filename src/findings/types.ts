import { tokens } from '../numbers.js';

/** A finding is data; its words live in `report/` and in the `explain` catalogue. */
export type Severity = 'error' | 'warning' | 'notice';

export interface Finding {
  /** Stable code, e.g. `RE012`; the catalogue says what it means. */
  readonly code: string;
  readonly severity: Severity;
  /** Where: a path into the config such as `rope_scaling.factor`; '' = the whole file. */
  readonly path: string;
  /** Values for the message: what was found, what would be right. */
  readonly args: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** What a code means. The words live here, never at the place that finds. */
export interface CatalogueEntry {
  /** Stable code, e.g. `RE012`. */
  readonly code: string;
  /** Stable name for machines, e.g. `missing_rope_type`. */
  readonly kind: string;
  readonly severity: Severity;
  /** A few words. */
  readonly title: string;
  /** One sentence about this finding: what was found and what would be right. */
  readonly message: (args: Finding['args']) => string;
  /** Long text for `rope-eval explain`. */
  readonly explanation: string;
  /** Which programs read it this way. */
  readonly affects: string;
}

/** A length among a finding's arguments, as people read it: `131,072`. */
export function lengthOf(value: Finding['args'][string] | undefined): string {
  return tokens(Number(value));
}
