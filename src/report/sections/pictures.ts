import { MINUS } from '../../text.js';
import * as format from '../format.js';
import type { CandidateReport, Interval, Report } from '../schema/report.js';
import type { Block, Heatmap, IntervalChart, IntervalRow, Section } from './section.js';

/** Presents the contents of the tables as pictures. */

export function pictureSections(report: Report): readonly Section[] {
  return [
    {
      id: 'reach',
      title: 'Reach',
      depth: 2,
      blocks: [reachChart(report), { kind: 'text', tone: 'soft', text: REACH_NOTE }],
    },
    {
      id: 'short',
      title: 'Cost at the lengths that already worked',
      depth: 2,
      blocks: [shortLossChart(report), shortAccuracyChart(report)],
    },
    heatmapSection(report),
  ];
}

const REACH_NOTE =
  'The largest length at which every distance keeps half of the accuracy at 1x. An arrow: the ' +
  'ladder of lengths ended first.';

function heatmapSection(report: Report): Section {
  const best = featured(report);
  return {
    id: 'heatmaps',
    title: 'Facts found, %, by length and distance',
    depth: 2,
    blocks: report.candidates.flatMap((candidate): Block[] => {
      const heatmap = heatmapOf(candidate);
      if (heatmap === undefined) return [];
      return [{ kind: 'heatmap', label: candidate.label, heatmap, featured: candidate === best }];
    }),
  };
}

/** The candidate whose picture is shown first. */
function featured({ candidates, recommendation }: Report): CandidateReport | undefined {
  return (
    candidates.find(({ label }) => label === recommendation.candidate) ??
    candidates.find(({ needle }) => needle.length > 0)
  );
}

/** Makes the heatmap of a candidate; undefined if no facts were asked. */
function heatmapOf({ needle }: CandidateReport): Heatmap | undefined {
  const rows = needle
    .filter((rung) => rung.byDistance.length > 0)
    .sort((a, b) => a.tokens - b.tokens)
    .map((rung) => ({
      rung,
      cells: rung.byDistance.map(({ correct, total }) => (total > 0 ? correct / total : null)),
    }));
  const first = rows[0];
  return first && { rows, bins: first.rung.byDistance };
}

/** Presents the reach of each candidate, with the target marked. */
function reachChart(report: Report): IntervalChart {
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
  const longest = Math.max(report.target.multiple, ...rows.map(({ high }) => high));
  return {
    kind: 'intervals',
    id: 'reach-chart',
    title: 'Reach of each candidate in tokens, with its 95 % interval',
    rows,
    ticks: roundTicks(0, longest)
      .filter((at) => at <= longest)
      .map((at) => ({ at, text: at === 0 ? '0' : format.shortTokens(at * window) })),
    goal: { at: report.target.multiple, text: 'target' },
  };
}

/** Presents the change of next-token loss at lengths that the model already handled. */
function shortLossChart(report: Report): IntervalChart {
  return changeChart(report, {
    id: 'short-loss-chart',
    title: 'Short-context loss change of each candidate in nats, with its 95 % interval',
    pick: (candidate) => candidate.short?.lossChange,
    scale: 1,
    digits: 3,
    unit: 'nats',
  });
}

/** Presents the change of fact accuracy at lengths that the model already handled. */
function shortAccuracyChart(report: Report): IntervalChart {
  return changeChart(report, {
    id: 'short-accuracy-chart',
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

function changeChart(report: Report, change: Change): IntervalChart {
  const { scale, digits, unit } = change;
  const rows = report.candidates.flatMap((candidate): IntervalRow[] => {
    const found = candidate.role === 'reference' ? undefined : change.pick(candidate);
    if (!found) return [];
    const [value, low, high] = [found.value * scale, found.low * scale, found.high * scale];
    const text = `${format.signed(value, digits)} ${unit}`;
    return [{ label: candidate.label, value, low, high, text }];
  });
  const low = Math.min(0, ...rows.map((row) => row.low));
  const high = Math.max(0, ...rows.map((row) => row.high));
  return {
    kind: 'intervals',
    id: change.id,
    title: change.title,
    rows,
    ticks: roundTicks(low, high).map((at) => ({
      at,
      text: format.trim(at, 4).replace('-', MINUS),
    })),
    goal: { at: 0, text: 'no change' },
  };
}

/** About seven round numbers that span an axis, including zero if the axis does. */
export function roundTicks(low: number, high: number): readonly number[] {
  const span = high - low || 1;
  const rough = span / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= rough) ?? rough;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}
