import type ora from 'ora';
import { EXIT, option, RopeEvalError, words } from '../errors.js';
import { parseReport } from '../gate/baseline.js';
import type { EvaluateOptions, Progress, Provisional, RunEstimate } from '../options.js';
import { nats, percent, reachTokens } from '../report/format.js';
import type { Report } from '../report/schema/report.js';
import { fixed } from '../text.js';
import type { Environment } from './environment.js';
import { inShell, InterruptedError, interruptible } from './failure.js';
import { type LoadedConfig, requireTextFile } from './inputs.js';
import { readConfigOf } from './model.js';
import type { OutputFlags } from './options.js';
import { cleanText } from './streams.js';

interface ProgressDisplay {
  readonly update: (progress: Progress) => void;
  /** Shows the rows that are known so far. */
  readonly fill: (found: Provisional) => void;
  /** Prints a line that stays. */
  readonly note: (text: string) => void;
  readonly stop: () => void;
}

/**
 * Shows a spinner on stderr with the share done and the time left, but only at a terminal.
 *
 * @param start the spinner's library, which is loaded only where something runs
 */
function progressDisplay(
  { stderr }: Environment,
  { progress }: WatchSettings,
  start: typeof ora,
): ProgressDisplay {
  const shown = progress && stderr.isLively;
  // isSilent is necessary because a disabled spinner would still print its text as lines.
  const spinner = start({
    // ora's types ask for one of Node's streams, but it only uses what a TTY stream has.
    stream: stderr.spinnerStream as NodeJS.WriteStream,
    isEnabled: shown,
    isSilent: !shown,
    discardStdin: false,
    text: 'starting',
  }).start();
  let line = 'starting';
  let known: readonly string[] = [];
  const draw = (): void => {
    spinner.text = [line, ...known].map(cleanText).join('\n');
  };
  let first: { readonly at: number; readonly done: number } | undefined;
  return {
    update: (now) => {
      first ??= { at: performance.now(), done: now.done };
      // Results from an earlier run took no time in this one.
      const own = now.done - first.done;
      const elapsed = (performance.now() - first.at) * (own > 0 ? now.done / own : 1);
      line = describeProgress(now, elapsed);
      draw();
    },
    fill: (found) => {
      known = describeProvisional(found);
      draw();
    },
    note: (text) => {
      if (shown) spinner.clear();
      stderr.write(`${text}\n`);
      if (shown) spinner.render();
    },
    stop: () => spinner.stop(),
  };
}

/** `37 % · yarn:4 to 131072 tokens · about 4 s left` */
export function describeProgress({ done, total, label }: Progress, elapsedMs: number): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const parts = [`${Math.floor(share * 100)} %`, label];
  // The estimate is dominated by the start-up until a twentieth of the work is done.
  if (share >= 0.05) parts.push(timeLeft((elapsedMs / share) * (1 - share)));
  return parts.join(' · ');
}

/**
 * Describes what is known so far: a verdict marked as provisional, and columns of the table that
 * will replace it. Empty until there is a candidate.
 */
export function describeProvisional({ candidates, recommendation }: Provisional): string[] {
  const rows = candidates.filter(({ role, reach }) => role === 'candidate' && reach !== null);
  if (rows.length === 0) return [];
  const { candidate } = recommendation;
  const cells = rows.map(({ label, reach, short, needle }) => {
    const last = needle.at(-1);
    return [
      `${label === candidate ? '>' : ' '} ${label}`,
      `reach ${reachTokens(reach!)}`,
      short ? `short ${nats(short.lossChange.value)} nats` : '',
      last ? `needle ${percent(last.accuracy.value)}` : '',
    ];
  });
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return [
    `  provisional: ${candidate ?? 'none reaches the target so far'}`,
    ...cells.map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    ),
  ];
}

/** `your own weights: about 41 min on this machine, up to 1.6 GiB of memory` */
function describeEstimate({ milliseconds, memory }: RunEstimate): string {
  const minutes = milliseconds / 60_000;
  const time =
    minutes < 1.5
      ? `${Math.max(1, Math.round(milliseconds / 1000))} s`
      : minutes < 90
        ? `${Math.round(minutes)} min`
        : `${fixed(minutes / 60, 1)} h`;
  return `your own weights: about ${time} on this machine, up to ${fixed(memory / 1024, 1)} GiB of memory`;
}

function timeLeft(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 1) return 'almost done';
  return seconds < 90 ? `about ${seconds} s left` : `about ${Math.round(seconds / 60)} min left`;
}

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
type Kept = 'saved' | 'printed' | 'nowhere';

/** Decides by a command's flags. Files come first, because a later run can resume from them. */
function keptBy({ output, json }: OutputFlags): Kept {
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

/**
 * Says on stderr how a run ended early, where its finished part is, and how to go on.
 *
 * @param flags of the command, and whether it accepts --resume
 * @returns the exit code
 */
export function finish(
  report: Report,
  { flags, resumable }: { readonly flags: OutputFlags; readonly resumable: boolean },
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

/** What the flags of a command ask for. */
export function watchFor(flags: OutputFlags): WatchSettings {
  const notices = flags.quiet !== true;
  return { progress: notices && !flags.json, notices, keeps: keptBy(flags) };
}

const KEPT: Readonly<Record<Kept, string>> = Object.freeze({
  saved: 'the finished part will be saved',
  printed: 'the finished part will be printed as JSON',
  nowhere: 'the finished part will not be saved, because no -o was given',
});

type Watched = 'signal' | 'onProgress' | 'onEstimate' | 'onProvisional';

/** How a watched run is stopped, and what it reports. A comparison of encodings reports less. */
type Watch = Required<Pick<EvaluateOptions, Watched>>;

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
  run: (loaded: Loaded, watch: Watch) => Promise<Result>,
): Promise<Result> {
  const [{ default: start }, loaded] = await Promise.all([import('ora'), load()]);
  const display = progressDisplay(environment, settings, start);
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
    return await run(loaded, {
      signal: stop.signal,
      onProgress: whileRunning(display.update),
      onEstimate: whileRunning((estimate: RunEstimate) => {
        if (settings.notices) display.note(describeEstimate(estimate));
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
    ({ evaluate, read }, { onProvisional, ...watch }) =>
      evaluate(read, {
        ...options,
        source: config.source,
        ...watch,
        // Provisional rows take time, so they are only computed if someone can see them.
        ...(settings.progress && environment.stderr.isLively ? { onProvisional } : {}),
      }),
  );
}
