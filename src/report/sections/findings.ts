import { wordFinding } from '../../findings/index.js';
import type { Finding } from '../../findings/types.js';
import { printable } from '../format.js';

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

/** Codes that say the same of many candidates, and whose words take a list of them. */
const BY_CANDIDATE: ReadonlySet<string> = new Set(['RE050', 'RE051']);

/** One finding for all candidates that it says the same of: seven lines would hide the others. */
function joined(findings: readonly Finding[]): readonly Finding[] {
  const groups = new Map<string, Finding[]>();
  for (const [index, finding] of findings.entries()) {
    const { code, path, args } = finding;
    const same = JSON.stringify([code, path, { ...args, candidate: null }]);
    const key = BY_CANDIDATE.has(code) ? same : String(index);
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first || group.length === 1) return group;
    const candidate = group.map(({ args }) => String(args['candidate']));
    return [{ ...first, args: { ...first.args, candidate } }];
  });
}

export function findingLines(findings: readonly Finding[]): readonly FindingLine[] {
  return [...joined(findings)]
    .sort((a, b) => ORDER[a.severity] - ORDER[b.severity])
    .map((finding) => ({
      severity: finding.severity,
      code: finding.code,
      message: printable(wordFinding(finding)),
    }));
}
