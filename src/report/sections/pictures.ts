import { MINUS } from '../../text.js';
import * as format from '../format.js';
import type { CandidateReport, Interval, Report, Short } from '../schema/report.js';
import { recommended } from './summary.js';
import type { Block, Heatmap, IntervalChart, IntervalRow, Section } from './section.js';

export function pictureSections(report: Report): readonly Section[] {
  return [
    {
      id: 'reach',
      title: 'Reach',
      blocks: [reachChart(report), { kind: 'text', tone: 'soft', text: REACH_NOTE }],
    },
    {
      id: 'short',
      title: 'Cost at the lengths that already worked',
      blocks: [changeChart(report, LOSS), changeChart(report, ACCURACY)],
    },
    heatmapSection(report),
  ];
}

const REACH_NOTE =
  'The largest length at which every distance keeps half of the accuracy at 1x. An arrow: the ' +
  'ladder of lengths ended first.';

function heatmapSection(report: Report): Section {
  const best = recommended(report) ?? report.candidates.find(({ needle }) => needle.length > 0);
  return {
    id: 'heatmaps',
    title: 'Facts found, %, by length and distance',
    blocks: report.candidates.flatMap((candidate): Block[] => {
      const heatmap = heatmapOf(candidate);
      if (heatmap === undefined) return [];
      return [{ kind: 'heatmap', label: candidate.label, heatmap, featured: candidate === best }];
    }),
  };
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

function reachChart(report: Report): IntervalChart {
  const window = report.reference.trainedWindow;
  const rows = report.candidates.flatMap(({ label, reach }): IntervalRow[] => {
    if (reach === null) return [];
    const { multiple: value, low, high, censored: open } = reach;
    return [{ label, value, low, high, open, text: format.reachTokens(reach) }];
  });
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

/** How one change at lengths that the model already handled is drawn. */
interface Change {
  readonly id: string;
  readonly name: string;
  readonly pick: (short: Short) => Interval;
  readonly scale: number;
  readonly digits: number;
  readonly unit: string;
}

const LOSS: Change = {
  id: 'short-loss-chart',
  name: 'Short-context loss change of each candidate in nats',
  pick: ({ lossChange }) => lossChange,
  scale: 1,
  digits: 3,
  unit: 'nats',
};

const ACCURACY: Change = {
  id: 'short-accuracy-chart',
  name: 'Short-context accuracy change of each candidate in points',
  pick: ({ accuracyChange }) => accuracyChange,
  scale: 100,
  digits: 1,
  unit: 'pts',
};

function changeChart({ candidates }: Report, change: Change): IntervalChart {
  const { id, name, pick, scale, digits, unit } = change;
  const rows = candidates.flatMap(({ label, role, short }): IntervalRow[] => {
    if (role === 'reference' || !short) return [];
    const found = pick(short);
    const [value, low, high] = [found.value * scale, found.low * scale, found.high * scale];
    return [{ label, value, low, high, text: `${format.signed(value, digits)} ${unit}` }];
  });
  const low = Math.min(0, ...rows.map((row) => row.low));
  const high = Math.max(0, ...rows.map((row) => row.high));
  return {
    kind: 'intervals',
    id,
    title: `${name}, with its 95 % interval`,
    rows,
    ticks: roundTicks(low, high).map((at) => ({
      at,
      text: format.trim(at, 4).replace('-', MINUS),
    })),
    goal: { at: 0, text: 'no change' },
  };
}

/** About seven round numbers that span an axis, including zero if the axis does. */
function roundTicks(low: number, high: number): readonly number[] {
  const span = high - low || 1;
  const rough = span / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= rough) ?? rough;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}
