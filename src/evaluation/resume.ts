import { EXIT, RopeEvalError } from '../errors.js';
import type { Report } from '../report/schema.js';
import type { JobList } from './jobs.js';
import type { SavedJob } from './saved-job.js';

/** The parts of a report that are known before anything is run. */
export type ReportHead = Pick<
  Report,
  'config' | 'reference' | 'target' | 'settings' | 'probeModel'
>;

type Conditions = ReportHead & Pick<Report, 'tool'>;

/** What saved scores depend on. Candidates are left out: a scaling that is new is run. */
const CONDITIONS: readonly (readonly [string, (run: Conditions) => string])[] = Object.freeze([
  ['rope-eval', ({ tool }) => tool.version],
  ['config', ({ config }) => `SHA-256 ${config.sha256.slice(0, 12)}…`],
  ['reference', ({ reference: r }) => `${r.kind}, trained window ${r.trainedWindow}`],
  ['--target', ({ target }) => String(target.tokens)],
  ['lengths', ({ settings }) => settings.ladder.map(({ tokens }) => tokens).join(' ')],
  ['--preset', ({ settings }) => settings.preset],
  ['--samples', ({ settings }) => String(settings.contexts.long)],
  ['--seed', ({ settings }) => String(settings.seed)],
  // Another device or another number of threads rounds the last digits in another way.
  ['--device', ({ settings }) => settings.device],
  ['--device asked for', ({ settings }) => settings.deviceAsked],
  ['--threads', ({ settings }) => String(settings.threads)],
  ['probe model', ({ probeModel: p }) => `${p.name} ${p.weightsSha256.slice(0, 12)}…`],
  ['probe graph', ({ probeModel }) => `${probeModel.graphSha256.slice(0, 12)}…`],
]);

/**
 * Takes the finished work of an earlier run over.
 *
 * @throws RopeEvalError `not_comparable`, exit 3, with everything in which that run was another
 */
export function takeOver(jobs: JobList, saved: Report, now: Conditions): void {
  const differences = CONDITIONS.flatMap(([what, read]) => {
    const [there, here] = [read(saved), read(now)];
    return there === here ? [] : [`  ${what}: ${there} there, ${here} here`];
  });
  if (differences.length > 0) {
    throw new RopeEvalError(
      `the report to resume is of another run:\n${differences.join('\n')}`,
      EXIT.runtime,
      'not_comparable',
      '--resume',
      'Run with the options of the first run, or without --resume.',
    );
  }
  jobs.resume((saved.unfinished?.jobs ?? []).filter(isWhole));
}

/** A job whose scores were cut on the way is run again. */
function isWhole({ contexts }: SavedJob): boolean {
  return contexts.every(({ logProbability, correct }) => {
    const [scores, hits] = [Buffer.from(logProbability, 'base64'), Buffer.from(correct, 'base64')];
    return scores.length === hits.length * Float32Array.BYTES_PER_ELEMENT;
  });
}
