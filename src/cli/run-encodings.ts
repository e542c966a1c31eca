import type { CompareEncodingsOptions } from '../compare-encodings.js';
import { EXIT } from '../errors.js';
import type { EncodingsReport } from '../report/encodings-schema.js';
import type { Environment } from './environment.js';
import { evaluationOptions, type EvaluationFlags } from './options/evaluation.js';
import type { OutputFlags } from './options/output.js';
import { columnsOf, isLively } from './terminal.js';
import { whereKept } from './unfinished.js';
import { watched } from './watched.js';

/** The flags of every command that compares encodings. */
export type EncodingsFlags = EvaluationFlags & OutputFlags;

export interface EncodingsRun extends Pick<CompareEncodingsOptions, 'encodings'> {
  /** What a report still needs before it is shown. */
  readonly finish?: (report: EncodingsReport) => EncodingsReport;
}

/** Runs the twins, writes the files that `-o` asked for and prints. @returns the exit code */
export async function runEncodings(
  environment: Environment,
  flags: EncodingsFlags,
  { finish = (report) => report, ...options }: EncodingsRun = {},
): Promise<number> {
  const [{ prepareEncodingsOutputs, writeEncodingsOutputs }, { encodingsText }] = await Promise.all(
    [import('./encodings-outputs.js'), import('../report/encodings/text.js')],
  );
  const outputs = await prepareEncodingsOutputs(flags.output ?? [], environment);
  const report = finish(
    await watched(
      environment,
      { progress: !flags.quiet && !flags.json, notices: false },
      () => environment.loadCompareEncodings(),
      (compare, watch) => compare({ ...evaluationOptions(flags), ...options, ...watch }),
    ),
  );
  await writeEncodingsOutputs(outputs, report);
  const { stdout, stderr, env } = environment;
  const complete = report.status === 'complete';
  if (flags.json) stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  // A table of an unfinished run is easily taken for a whole one; JSON carries its status.
  else if (complete) {
    const context = { color: isLively(stdout, env), columns: columnsOf(stdout) };
    stdout.write(encodingsText(report, context));
  }
  if (complete) return EXIT.ok;
  stderr.write(`interrupted; the finished rows are ${whereKept(flags)}\n`);
  return EXIT.interrupted;
}
