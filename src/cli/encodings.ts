import type { EncodingsReport } from '../encodings/schema.js';
import { EXIT, option, RopeEvalError, words } from '../errors.js';
import type { NotRope } from '../model/types.js';
import type { CompareEncodingsOptions } from '../options.js';
import type { Environment } from './environment.js';
import { outputFiles, writeReport } from './files.js';
import type { LoadedConfig } from './inputs.js';
import { readConfigOf } from './model.js';
import type { SearchFlags } from './optimize.js';
import { type EvaluationFlags, evaluationOptions, type OutputFlags } from './options.js';
import { runWithProgress, whereKept } from './run.js';

/** The flags of every command that compares encodings. */
export type EncodingsFlags = EvaluationFlags & OutputFlags;

/** What a comparison of encodings does besides the defaults. */
export interface EncodingsRun extends Pick<CompareEncodingsOptions, 'encodings'> {
  /** Completes a report before it is shown. */
  readonly finish?: (report: EncodingsReport) => EncodingsReport;
  /** Prints only the answer, on one screen. */
  readonly brief?: boolean;
}

/** Runs the twins, writes the files that `-o` names, and prints. @returns the exit code */
export async function runEncodings(
  environment: Environment,
  flags: EncodingsFlags,
  { finish = (report) => report, brief = false, ...options }: EncodingsRun = {},
): Promise<number> {
  const { ENCODINGS_FORMS, encodingsAnswer, encodingsSections } =
    await import('../encodings/sections.js');
  const outputs = await outputFiles(flags.output ?? [], environment, ENCODINGS_FORMS, {
    problem: 'a comparison of position encodings has no such form',
    hint: `Known: ${Object.keys(ENCODINGS_FORMS).join(', ')}.`,
  });
  const report = finish(
    await runWithProgress(
      environment,
      { progress: !flags.quiet && !flags.json, notices: false },
      () => environment.loadCompareEncodings(),
      (compare, { signal, onProgress }) =>
        compare({ ...evaluationOptions(flags), ...options, signal, onProgress }),
    ),
  );
  for (const { path, form } of outputs) await writeReport(path, await form(report));
  const { stdout, stderr } = environment;
  const complete = report.status === 'complete';
  if (flags.json) stdout.json(report);
  // A table of an unfinished run is easily mistaken for a complete one. JSON includes the status.
  else if (complete) {
    const { contextOf, textOf } = await import('../report/terminal.js');
    const sections = brief ? encodingsAnswer(report) : encodingsSections(report);
    stdout.write(textOf(sections, contextOf(stdout)));
  }
  if (complete) return EXIT.ok;
  stderr.write(`interrupted; the finished rows are ${whereKept(flags)}\n`);
  return EXIT.interrupted;
}

type Flags = SearchFlags &
  EncodingsFlags &
  OutputFlags & { optimize?: boolean; resume?: string; details?: boolean };

/** Flags of the default command that only apply to RoPE. */
const ROPE_FLAGS: readonly (keyof Flags)[] = [
  'target',
  'factor',
  'candidates',
  'optimize',
  'policy',
  'resume',
  'reference',
  'trainedWindow',
];

/** Runs the default command for a model without RoPE, on the twin with the same encoding. */
export async function compareTwin(
  model: NotRope,
  config: LoadedConfig,
  flags: Flags,
  environment: Environment,
): Promise<number> {
  refuseFlags(model, flags, ROPE_FLAGS);
  const { forModel, twinOf } = await import('../encodings/twins.js');
  const twin = twinOf(model);
  const { sha256 } = await readConfigOf(config);
  return runEncodings(environment, flags, {
    encodings: twin === undefined ? [] : [twin],
    brief: flags.details !== true,
    finish: (report) => forModel(report, model, { source: config.source, sha256 }),
  });
}

/**
 * Refuses flags that only apply to RoPE.
 *
 * @param names by commander
 * @throws RopeEvalError `not_rope`
 */
export function refuseFlags<Given extends object>(
  model: NotRope,
  flags: Given,
  names: readonly (keyof Given & string)[],
): void {
  const given = names.find((name) => flags[name] !== undefined);
  if (given === undefined) return;
  throw new RopeEvalError('not_rope', {
    option: given,
    predicate: `has no effect on ${model.modelType}, which does not use RoPE`,
    hint: words`Without ${option(given)}, a small model with its position encoding is shown instead.`,
  });
}
