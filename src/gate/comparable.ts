import { RopeEvalError } from '../errors.js';
import type { Report } from '../report/schema.js';

/** Something that two reports must share before their cells can be compared. */
export interface Difference {
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

/** A report's cells depend on these: the same contexts, asked of the same model, at the same lengths. */
const CONDITIONS: readonly (readonly [string, (report: Report) => string])[] = Object.freeze([
  ['status', (report) => report.status],
  ['schema', (report) => `version ${report.schemaVersion.split('.')[0]}`],
  ['probe model', (report) => `${report.probeModel.name} ${report.probeModel.weightsSha256}`],
  ['probe graph', (report) => report.probeModel.graphSha256],
  ['held pairs of the probe', ({ probeModel }) => String(probeModel.heldPairs ?? 0)],
  ['nats', ({ probeModel }) => `${probeModel.lossScale ?? 1} to one of the probe’s`],
  ['preset', (report) => report.settings.preset],
  ['seed', (report) => String(report.settings.seed)],
  [
    'samples',
    (report) =>
      Object.entries(report.settings.contexts)
        .map(([name, count]) => `${count} ${name}`)
        .join(', '),
  ],
  [
    'reference',
    ({ reference: r }) =>
      `${r.kind}, trained window ${r.trainedWindow}, ${r.ropeType}, theta ${r.theta}`,
  ],
  ['ladder', (report) => report.settings.ladder.map((rung) => rung.tokens).join(' ')],
]);

/** Conditions that differ; empty = comparable cell by cell. */
export function differencesOf(before: Report, after: Report): readonly Difference[] {
  return CONDITIONS.flatMap(([what, read]) => {
    const [a, b] = [read(before), read(after)];
    return a === b ? [] : [{ what, before: a, after: b }];
  });
}

/** @throws RopeEvalError `not_comparable` (exit 3) with everything that differs */
export function assertComparable(before: Report, after: Report, path: string): void {
  for (const [name, report] of [
    ['the baseline', before],
    ['this run', after],
  ] as const) {
    if (report.status !== 'complete') {
      throw new RopeEvalError(
        `${path} cannot be compared: ${name} is ${report.status}`,
        3,
        'not_comparable',
        path,
        'Only complete reports can be compared.',
      );
    }
  }
  const differences = differencesOf(before, after);
  if (differences.length === 0) return;
  throw new RopeEvalError(
    `${path} cannot be compared with this run:\n${differences
      .map(({ what, before: a, after: b }) => `  ${what}: ${a} there, ${b} here`)
      .join('\n')}`,
    3,
    'not_comparable',
    path,
    'Run with the same settings (--preset, --seed, --samples, --target). Where rope-eval or what the weights were trained with is another one, accept this run with --update-baseline; for a changed config, --base judges it against the old one.',
  );
}
