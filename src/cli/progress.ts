import ora from 'ora';
import { fixed } from '../numbers.js';
import type { Progress, Provisional, RunEstimate } from '../options.js';
import { nats, percent, reachTokens } from '../report/format.js';
import type { Environment } from './environment.js';
import { cleanText } from './streams.js';

/** The display of a run's progress. */
export interface ProgressDisplay {
  readonly update: (progress: Progress) => void;
  /** Shows the rows that are known so far. */
  readonly fill: (found: Provisional) => void;
  /** Prints a line that stays. */
  readonly note: (text: string) => void;
  readonly stop: () => void;
}

/** Shows a spinner on stderr with the share done and the time left, but only at a terminal. */
export function progressDisplay(environment: Environment, wanted: boolean): ProgressDisplay {
  const { stderr } = environment;
  const shown = wanted && stderr.isLively;
  // isSilent is necessary because a disabled spinner would still print its text as lines.
  const spinner = ora({
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
    update: (progress) => {
      first ??= { at: performance.now(), done: progress.done };
      // Results from an earlier run took no time in this one.
      const own = progress.done - first.done;
      const elapsed = (performance.now() - first.at) * (own > 0 ? progress.done / own : 1);
      line = describeProgress(progress, elapsed);
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
export function describeEstimate({ milliseconds, memory }: RunEstimate): string {
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
