/* The report names what it ran on. Outside the command line, only this file looks that up. */
import { arch, availableParallelism, platform } from 'node:os';
import { versions } from 'node:process';
import { option, RopeEvalError, words } from '../errors.js';
import type { EvaluateOptions } from '../options.js';
import { disagreements, disagreementWords, type MadeBy, RESUMED } from '../report/agreement.js';
import type { Report } from '../report/schema/report.js';
import type { Opened } from '../subjects/subject.js';
import { isWhole, type QuestionList } from './questions.js';
import type { Setup } from './setup.js';

/** The small decoder is not faster with more threads than this. */
const MAX_THREADS = 8;

/** The number of threads if the user gave none. */
export function defaultThreads(): number {
  return Math.min(MAX_THREADS, availableParallelism());
}

/** Describes what a run ran on, for the report. */
export function runtimeOf<Version extends string | null>(
  onnxruntime: Version,
): Report['runtime'] & { readonly onnxruntime: Version } {
  return { onnxruntime, node: versions.node, platform: `${platform()}-${arch()}` };
}

/** The settings and the ladder of a run. */
export interface RunConditions {
  readonly settings: Pick<Report['settings'], 'preset' | 'seed' | 'contexts' | 'threads'>;
  /** The ladder. */
  readonly multiples: readonly number[];
}

/**
 * Makes the parts of a report that say how it was made. They are known before anything is asked.
 */
export function reportHead(
  setup: Setup,
  { source = '-', device: deviceAsked = 'auto' }: EvaluateOptions,
  { settings, multiples }: RunConditions,
  { entry, device }: Opened,
  tool: Report['tool'],
): MadeBy {
  const { config, base, model, criticalFraction, rotaryShare } = setup;
  const { reference, window } = setup.groups[setup.decisive]!;
  return {
    tool,
    config: {
      source,
      sha256: config.sha256,
      modelType: model.modelType,
      architecture: model.architecture ?? null,
    },
    reference: {
      ...setup.reference,
      ...(base && {
        base: {
          sha256: base.sha256,
          ...(base.argument !== undefined && { argument: base.argument }),
        },
      }),
      criticalFraction,
      rotaryShare,
      theta: reference.theta,
      ropeType: reference.type,
    },
    target: setup.target,
    settings: {
      ...settings,
      device,
      deviceAsked,
      ladder: multiples.map((m) => ({ multiple: m, tokens: Math.round(m * window) })),
    },
    subject: entry,
  };
}

/**
 * Takes over the finished work of an earlier run.
 *
 * @throws RopeEvalError `not_comparable` (exit 3), which lists every difference between the runs
 */
export function takeOver(questions: QuestionList, saved: Report, now: MadeBy): void {
  const differences = disagreements(RESUMED, saved, now);
  if (differences.length > 0) {
    throw new RopeEvalError('not_comparable', {
      option: 'resume',
      problem: ['the report is of another run:', ...disagreementWords(differences)],
      hint: words`Run with the options of the first run, or without ${option('resume')}.`,
    });
  }
  questions.resume((saved.unfinished?.jobs ?? []).filter(isWhole));
}
