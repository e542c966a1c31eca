import { relative, resolve } from 'node:path';
import { wordFinding } from '../findings/index.js';
import type { CheckRun } from '../gate/check.js';
import { lineOfKey } from '../gate/differences.js';
import type { GateResult } from '../gate/judge.js';
import {
  adviceLines,
  cellMessage,
  gateOutcome,
  missingByCandidate,
  ruleMessage,
  ruleSubject,
  verdictLine,
} from '../gate/words.js';
import { markdown } from '../report/forms/markdown.js';
import type { Report } from '../report/schema/report.js';
import type { Environment } from './environment.js';
import { FLAG_NAMES } from './failure.js';
import { appendText } from './files.js';
import type { LoadedConfig } from './inputs.js';
import type { Output } from './streams.js';

export function onGitHub({ env }: Environment): boolean {
  return env['GITHUB_ACTIONS'] === 'true';
}

/** A message that GitHub shows beside a line of a pull request. */
interface Annotation {
  readonly severity: 'error' | 'warning';
  readonly title: string;
  readonly message: string;
  /** Path from the root of the repository. */
  readonly file?: string;
  /** Line, counted from 1. */
  readonly line?: number;
}

/**
 * Places each problem beside the line of the config that causes it, in the words of `check`. The
 * verdict comes first; each problem begins with what to change.
 */
export function gateAnnotations(
  { result, advice: advices }: CheckRun,
  config: LoadedConfig,
  environment: Environment,
): readonly Annotation[] {
  const file = repositoryPath(config, environment);
  const at = (line: number): Pick<Annotation, 'file' | 'line'> =>
    file === undefined ? {} : { file, line };
  const error = (title: string, message: string): Annotation => ({
    severity: 'error',
    title,
    message,
  });
  const verdict = error('rope-eval', verdictLine(result));
  if (result.status === 'interrupted' || result.status === 'runtime-failed') {
    // What was not measured yet is not a problem of the config.
    return [verdict];
  }
  const rules = result.rules.flatMap((rule, index): Annotation[] => {
    if (rule.outcome === 'pass') return [];
    const advice = advices[index];
    return [
      {
        severity: rule.level === 'error' ? 'error' : 'warning',
        title: ruleSubject(rule),
        message: [...(advice ? adviceLines(advice) : []), ruleMessage(rule, FLAG_NAMES)].join('\n'),
        ...at(advice?.line ?? 1),
      },
    ];
  });
  const findings = result.findings.map((finding): Annotation => ({
    severity: finding.level === 'error' ? 'error' : 'warning',
    title: finding.code,
    message: wordFinding(finding),
    ...at(lineOfKey(config.text, finding.path)),
  }));
  const cells = (result.baseline?.cells ?? [])
    .filter((cell) => cell.outcome === 'regressed')
    .map((cell) => ({
      ...error(`${cell.candidate} ${cell.cell} regressed`, cellMessage(cell)),
      ...at(1),
    }));
  const missing = (result.baseline ? missingByCandidate(result.baseline) : []).map(
    ({ candidate, message }) => ({
      ...error(`${candidate} was not measured`, message),
      ...at(1),
    }),
  );
  return [...(result.exitCode === 0 ? [] : [verdict]), ...rules, ...findings, ...cells, ...missing];
}

/** Writes the workflow commands that show annotations. */
export function annotate(annotations: readonly Annotation[], stream: Output): void {
  for (const { severity, title, message, file, line } of annotations) {
    stream.command(severity, { file, line, title }, message);
  }
}

/** Writes the report to the job's summary, if the runner asks for one. */
export async function writeStepSummary(
  report: Report,
  result: GateResult,
  { env }: Environment,
): Promise<void> {
  const file = env['GITHUB_STEP_SUMMARY'];
  if (!file) return;
  const text = markdown(report, {
    color: false,
    columns: 100,
    plots: true,
    gate: gateOutcome(result, FLAG_NAMES),
  });
  await appendText(file, stepSummary(text));
}

/** Returns the path from the root of the checkout, as GitHub requires. */
function repositoryPath(config: LoadedConfig, { env, cwd }: Environment): string | undefined {
  if (config.file === undefined) return undefined;
  const root = resolve(env['GITHUB_WORKSPACE'] ?? cwd);
  return relative(root, config.file).replaceAll('\\', '/');
}

/** GitHub drops larger job summaries completely: https://github.com/actions/runner/issues/1839 */
const SUMMARY_BYTES = 1024 * 1024;
const CUT = '\n\n_Cut here: a job summary holds at most 1 MiB. The saved reports have the rest._\n';

/** Makes Markdown for `$GITHUB_STEP_SUMMARY`. Text that is too long is cut at the end of a line. */
export function stepSummary(markdown: string, bytes = SUMMARY_BYTES): string {
  const encoded = Buffer.from(markdown, 'utf8');
  if (encoded.length <= bytes) return markdown;
  const room = encoded.subarray(0, bytes - Buffer.byteLength(CUT)).toString('utf8');
  return room.slice(0, Math.max(0, room.lastIndexOf('\n'))) + CUT;
}
