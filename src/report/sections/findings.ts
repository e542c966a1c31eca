import { CATALOGUE, type SavedFinding, type Severity, wordFinding } from '../../findings/index.js';
import type { MarkedLine, MarksBlock, Section, Tone } from './section.js';

const ORDER: Readonly<Record<Severity, number>> = Object.freeze({
  error: 0,
  warning: 1,
  notice: 2,
});

/** Merges findings that say the same about several candidates, so that others stay visible. */
function joined(findings: readonly SavedFinding[]): readonly SavedFinding[] {
  const groups = new Map<string, SavedFinding[]>();
  for (const [index, finding] of findings.entries()) {
    const { code, path, args } = finding;
    const named = namesArgument(code);
    const same = JSON.stringify([code, path, { ...args, [named ?? '']: null }]);
    const key = named === undefined ? String(index) : same;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    const named = first && namesArgument(first.code);
    if (!named || group.length === 1) return group;
    const names = group.flatMap(({ args }) => args[named]);
    return [{ ...first, args: { ...first.args, [named]: names } }];
  });
}

/** The argument of a finding that accepts several names, such as `candidate` of RE050. */
function namesArgument(code: string): string | undefined {
  const args = CATALOGUE.get(code)?.args ?? {};
  return Object.keys(args).find((name) => args[name] === 'names');
}

const TONES: Readonly<Record<Severity, Tone>> = Object.freeze({
  error: 'bad',
  warning: 'warn',
  notice: 'soft',
});

/** Words findings, the most serious first. */
export function findingLines(findings: readonly SavedFinding[]): readonly MarkedLine[] {
  return [...joined(findings)]
    .sort((a, b) => ORDER[a.severity] - ORDER[b.severity])
    .map((finding) => ({
      mark: finding.severity,
      tone: TONES[finding.severity],
      code: finding.code,
      text: wordFinding(finding),
    }));
}

/** How many findings an answer shows, so that it fits on a screen. */
const SHOWN = 2;

/** Selects findings for an answer. If something is wrong, notices are left to the details. */
export function mostSerious(lines: readonly MarkedLine[]): MarksBlock {
  return {
    kind: 'marks',
    lines: lines.filter(({ mark }) => mark === lines[0]?.mark).slice(0, SHOWN),
  };
}

export function findingsSection(
  findings: readonly SavedFinding[],
  title = 'Findings in the config',
): Section {
  return {
    id: 'findings',
    title,
    blocks: [{ kind: 'marks', lines: findingLines(findings) }],
  };
}
