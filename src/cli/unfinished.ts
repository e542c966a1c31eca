import { EXIT, RopeEvalError } from '../errors.js';
import { parseReport } from '../gate/baseline.js';
import type { Report } from '../report/schema.js';
import type { Environment } from './environment.js';
import type { OutputFlags } from './options/output.js';
import { requireTextFile } from './gate/read-text.js';

/** The report that `--resume` names. Whether it is of the same run, `evaluate` finds out. */
export async function loadUnfinished(path: string, environment: Environment): Promise<Report> {
  const report = parseReport(await requireTextFile(path, environment), path);
  if (report.status === 'complete') {
    throw new RopeEvalError(
      `${path} is complete: there is nothing to resume`,
      EXIT.usage,
      'already_complete',
      '--resume',
    );
  }
  return report;
}

/** Where the finished part of a run ends up. */
export type Kept = 'saved' | 'printed' | 'nowhere';

/** By the flags of a command: files win, because a later run can go on from them. */
export function keptBy({ output, json }: OutputFlags): Kept {
  if (output !== undefined) return 'saved';
  return json ? 'printed' : 'nowhere';
}

/** Where it is, for the sentence that ends a run. */
export function whereKept(flags: OutputFlags): string {
  const where = {
    saved: `saved to ${(flags.output ?? []).join(', ')}`,
    printed: 'printed on standard output',
    nowhere: 'not saved (no -o was given)',
  };
  return where[keptBy(flags)];
}

export interface Ending {
  readonly flags: OutputFlags;
  /** Whether the same command takes --resume. */
  readonly resumable: boolean;
}

/**
 * Says on stderr how a run ended early, where its finished part is, and how to go on.
 *
 * @returns the exit code
 */
export function finish(
  report: Report,
  { flags, resumable }: Ending,
  environment: Environment,
): number {
  if (report.status === 'complete') return EXIT.ok;
  const interrupted = report.status === 'interrupted';
  const why = report.unfinished?.reason ?? 'the runtime failed before the end';
  const what = interrupted ? 'interrupted' : `error: ${why}`;
  const lines = [`${what}; the finished part is ${whereKept(flags)}`];
  if (!interrupted) lines.push('  Where memory ran out, try a smaller --samples or --target.');
  const json = flags.output?.find((path) => path.toLowerCase().endsWith('.json'));
  if (json !== undefined && resumable)
    lines.push(`  To go on: the same command with --resume ${json}`);
  environment.stderr.write(`${lines.join('\n')}\n`);
  return interrupted ? EXIT.interrupted : EXIT.runtime;
}
