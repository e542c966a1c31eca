import type { Report } from '../schema.js';
import type { GateOutcome } from '../gate-outcome.js';

export interface ReporterContext {
  /** ANSI colours; for terminals only. */
  readonly color: boolean;
  /** Width to print for, where the form has one. */
  readonly columns: number;
  /** Heatmaps and charts. */
  readonly plots: boolean;
  /** What a gate made of the report, where one ran. */
  readonly gate?: GateOutcome;
}

/** One output form: a pure function from a report to the text of a file. */
export type Reporter = (report: Report, context: ReporterContext) => string;
