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
