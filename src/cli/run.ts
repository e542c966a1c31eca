import { EXIT, option, RopeEvalError, words } from '../errors.js';
import { parseReport } from '../gate/baseline.js';
import type { EvaluateOptions, Progress, Provisional, RunEstimate } from '../options.js';
import type { Report } from '../report/schema/report.js';
import type { Environment } from './environment.js';
import { inShell, InterruptedError, interruptible } from './failure.js';
import { type LoadedConfig, requireTextFile } from './inputs.js';
import { readConfigOf } from './model.js';
import type { OutputFlags } from './options.js';

/** Loads the report that --resume names. `evaluate` checks whether it belongs to the same run. */
export async function loadUnfinished(path: string, environment: Environment): Promise<Report> {
  const report = parseReport(await requireTextFile(path, environment), path);
  if (report.status === 'complete') {
    throw new RopeEvalError('already_complete', {
      option: 'resume',
      problem: `${path} is complete: there is nothing to resume`,
    });
  }
  return report;
}

/** What happens to the finished part of a run. */
export type Kept = 'saved' | 'printed' | 'nowhere';

/** Decides by a command's flags. Files come first, because a later run can resume from them. */
export function keptBy({ output, json }: OutputFlags): Kept {
  if (output !== undefined) return 'saved';
  return json ? 'printed' : 'nowhere';
}

/** Says where the finished part is, to end a sentence. */
export function whereKept(flags: OutputFlags): string {
  const where = {
    saved: `saved to ${(flags.output ?? []).join(', ')}`,
    printed: 'printed on standard output',
    nowhere: 'not saved (no -o was given)',
  };
  return where[keptBy(flags)];
}

/** How the command that ran can go on. */
export interface Ending {
  readonly flags: OutputFlags;
  /** Whether the same command accepts --resume. */
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
  if (!interrupted)
    lines.push(
      inShell(
        words`  Where memory ran out, try a smaller ${option('samples')} or ${option('target')}.`,
      ),
    );
  const json = flags.output?.find((path) => path.toLowerCase().endsWith('.json'));
  if (json !== undefined && resumable)
    lines.push(inShell(words`  To go on: the same command with ${option('resume')} ${json}`));
  environment.stderr.write(`${lines.join('\n')}\n`);
  return interrupted ? EXIT.interrupted : EXIT.runtime;
}

/** What a run shows on stderr. */
export interface WatchSettings {
  /** Show a spinner, if the terminal supports it. */
  readonly progress: boolean;
  /** Acknowledge Ctrl-C on stderr. */
  readonly notices: boolean;
  /** What happens to the finished part, for that acknowledgement; default: nowhere. */
  readonly keeps?: Kept | undefined;
}

const KEPT: Readonly<Record<Kept, string>> = Object.freeze({
  saved: 'the finished part will be saved',
  printed: 'the finished part will be printed as JSON',
  nowhere: 'the finished part will not be saved, because no -o was given',
});

/** How a watched run is stopped, and where it reports progress. */
export interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** What an evaluation also reports. A comparison of encodings reports neither. */
export interface ProgressListeners {
  readonly onEstimate: (estimate: RunEstimate) => void;
  readonly onProvisional: (found: Provisional) => void;
}

/**
 * Runs probes with a progress display and Ctrl-C.
 *
 * @param load imports what the run needs, in parallel with the progress display
 * @throws InterruptedError if Ctrl-C came before anything could be reported
 */
export async function runWithProgress<Loaded, Result>(
  environment: Environment,
  settings: WatchSettings,
  load: () => Promise<Loaded>,
  run: (loaded: Loaded, watch: Watch, told: ProgressListeners) => Promise<Result>,
): Promise<Result> {
  const [{ progressDisplay, describeEstimate: describe }, loaded] = await Promise.all([
    import('./progress.js'),
    load(),
  ]);
  const display = progressDisplay(environment, settings.progress);
  const stop = interruptible(environment, () => {
    display.stop();
    if (settings.notices) {
      const kept = KEPT[settings.keeps ?? 'nowhere'];
      environment.stderr.write(`stopping; ${kept} (Ctrl-C again ends at once)\n`);
    }
  });
  try {
    const whileRunning =
      <News>(show: (news: News) => void) =>
      (news: News): void => {
        if (!stop.signal.aborted) show(news);
      };
    const watch = { signal: stop.signal, onProgress: whileRunning(display.update) };
    return await run(loaded, watch, {
      onEstimate: whileRunning((estimate: RunEstimate) => {
        if (settings.notices) display.note(describe(estimate));
      }),
      onProvisional: whileRunning(display.fill),
    });
  } catch (error) {
    if (stop.signal.aborted) throw new InterruptedError('interrupted; nothing was finished yet');
    throw error;
  } finally {
    display.stop();
    stop.dispose();
  }
}

/**
 * Runs an evaluation with a progress display and Ctrl-C. An interrupted run returns a report with
 * the finished cells and the status `interrupted`.
 *
 * @throws InterruptedError if Ctrl-C came before anything could be reported
 */
export function runEvaluation(
  environment: Environment,
  config: LoadedConfig,
  options: EvaluateOptions,
  settings: WatchSettings,
): Promise<Report> {
  return runWithProgress(
    environment,
    settings,
    async () => ({ evaluate: await environment.loadEvaluate(), read: await readConfigOf(config) }),
    ({ evaluate, read }, watch, { onEstimate, onProvisional }) =>
      evaluate(read, {
        ...options,
        source: config.source,
        ...watch,
        onEstimate,
        // Provisional rows take time, so they are only computed if someone can see them.
        ...(settings.progress && environment.stderr.isLively ? { onProvisional } : {}),
      }),
  );
}
