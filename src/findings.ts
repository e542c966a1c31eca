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
