import type { Progress } from '../evaluate-types.js';
import type { Environment } from './environment.js';
import type { Kept } from './unfinished.js';
import { interruptible, InterruptedError } from './interrupt.js';

export interface WatchSettings {
  /** Show a spinner, where the terminal allows one. */
  readonly progress: boolean;
  /** Say on stderr that Ctrl-C was understood. */
  readonly notices: boolean;
  /** Where the finished part goes, for that notice; default: nowhere. */
  readonly keeps?: Kept | undefined;
}

const KEPT: Readonly<Record<Kept, string>> = Object.freeze({
  saved: 'the finished part will be saved',
  printed: 'the finished part will be printed as JSON',
  nowhere: 'the finished part will not be saved, because no -o was given',
});

/** What a watched run listens and reports to. */
export interface Watch {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/**
 * Runs probes with progress and Ctrl-C.
 *
 * @param load what has to be imported; the progress display is imported beside it
 * @throws InterruptedError where Ctrl-C came before anything could be reported
 */
export async function watched<Loaded, Result>(
  environment: Environment,
  settings: WatchSettings,
  load: () => Promise<Loaded>,
  run: (loaded: Loaded, watch: Watch) => Promise<Result>,
): Promise<Result> {
  const [{ progressDisplay }, loaded] = await Promise.all([import('./progress.js'), load()]);
  const display = progressDisplay(environment, settings.progress);
  const stop = interruptible(environment, () => {
    display.stop();
    if (settings.notices) {
      const kept = KEPT[settings.keeps ?? 'nowhere'];
      environment.stderr.write(`stopping; ${kept} (Ctrl-C again ends at once)\n`);
    }
  });
  try {
    return await run(loaded, {
      signal: stop.signal,
      onProgress: (progress) => {
        if (!stop.signal.aborted) display.update(progress);
      },
    });
  } catch (error) {
    if (stop.signal.aborted) throw new InterruptedError('interrupted; nothing was finished yet');
    throw error;
  } finally {
    display.stop();
    stop.dispose();
  }
}
