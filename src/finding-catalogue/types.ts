import type { Finding, Severity } from '../findings.js';

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
