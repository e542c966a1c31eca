import type { Report } from '../schema/report.js';

/** What a gate made of a report, as far as a reader of the report needs it. */
export interface GateOutcome {
  readonly verdict: 'passed' | 'failed';
  readonly rules: readonly RuleOutcome[];
}

export interface RuleOutcome {
  /** The rule as the policy has it, e.g. `needle@131072 >= 0.8`. */
  readonly rule: string;
  readonly level: 'error' | 'warn';
  readonly status: 'passed' | 'failed' | 'unverifiable';
  readonly candidate: string;
  /** What was found, and what would be right. */
  readonly message: string;
}

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
