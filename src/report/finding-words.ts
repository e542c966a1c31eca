import { wordFinding } from '../finding-catalogue/index.js';
import type { Finding } from '../findings.js';
import { printable } from './format.js';

/** A finding in words, most serious first. */
export interface FindingLine {
  readonly severity: Finding['severity'];
  readonly code: string;
  /** Path in the config, then what was found and what would be right. */
  readonly message: string;
}

const ORDER: Readonly<Record<Finding['severity'], number>> = Object.freeze({
  error: 0,
  warning: 1,
  notice: 2,
});

export function findingLines(findings: readonly Finding[]): readonly FindingLine[] {
  return [...findings]
    .sort((a, b) => ORDER[a.severity] - ORDER[b.severity])
    .map((finding) => ({
      severity: finding.severity,
      code: finding.code,
      message: printable(wordFinding(finding)),
    }));
}
