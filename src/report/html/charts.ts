import * as format from '../format.js';
import type { CandidateReport, Interval, Report } from '../schema.js';
import { intervalChart, roundTicks, type IntervalRow } from './interval-chart.js';
import { markup, type Markup } from './template.js';

/** Reach of each candidate, with the target marked. */
export function reachChart(report: Report): Markup {
  const window = report.reference.trainedWindow;
  const rows = report.candidates.flatMap(({ label, reach }): IntervalRow[] =>
    reach === null
      ? []
      : [
          {
            label,
            value: reach.multiple,
            low: reach.low,
            high: reach.high,
            open: reach.censored,
            text: format.reachTokens(reach),
          },
        ],
  );
  if (rows.length === 0) return markup``;
  const longest = Math.max(report.target.multiple, ...rows.map(({ high }) => high));
  return intervalChart({
    id: 'reach',
    title: 'Reach of each candidate in tokens, with its 95 % interval',
    description: rows.map(({ label, text }) => `${label}: ${text} tokens`).join('; '),
    rows,
    ticks: roundTicks(0, longest)
      .filter((at) => at <= longest)
      .map((at) => ({ at, text: at === 0 ? '0' : format.shortTokens(at * window) })),
    goal: { at: report.target.multiple, text: 'target' },
  });
}

/** Change of the next-token loss at the lengths that already worked. */
export function shortLossChart(report: Report): Markup {
  return changeChart(report, {
    id: 'short-loss',
    title: 'Short-context loss change of each candidate in nats, with its 95 % interval',
    pick: (candidate) => candidate.short?.lossChange,
    scale: 1,
    digits: 3,
    unit: 'nats',
  });
}

/** Change of the facts' accuracy at the lengths that already worked. */
export function shortAccuracyChart(report: Report): Markup {
  return changeChart(report, {
    id: 'short-accuracy',
    title: 'Short-context accuracy change of each candidate in points, with its 95 % interval',
    pick: (candidate) => candidate.short?.accuracyChange,
    scale: 100,
    digits: 1,
    unit: 'pts',
  });
}

interface Change {
  readonly id: string;
  readonly title: string;
  readonly pick: (candidate: CandidateReport) => Interval | undefined;
  readonly scale: number;
  readonly digits: number;
  readonly unit: string;
}

function changeChart(report: Report, change: Change): Markup {
  const { scale, digits, unit } = change;
  const rows = report.candidates.flatMap((candidate): IntervalRow[] => {
    const found = candidate.role === 'reference' ? undefined : change.pick(candidate);
    if (!found) return [];
    const [value, low, high] = [found.value * scale, found.low * scale, found.high * scale];
    const text = `${format.signed(value, digits)} ${unit}`;
    return [{ label: candidate.label, value, low, high, text }];
  });
  if (rows.length === 0) return markup``;
  const low = Math.min(0, ...rows.map((row) => row.low));
  const high = Math.max(0, ...rows.map((row) => row.high));
  return intervalChart({
    id: change.id,
    title: change.title,
    description: rows.map(({ label, text }) => `${label}: ${text}`).join('; '),
    rows,
    ticks: roundTicks(low, high).map((at) => ({ at, text: format.trim(at, 4).replace('-', '−') })),
    goal: { at: 0, text: 'no change' },
  });
}
