import { printable } from '../format.js';
import { markup, type Markup } from './template.js';

export interface IntervalRow {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Written at the end of the row. */
  readonly text: string;
  /** The true value may lie further right: drawn as an arrow. */
  readonly open?: boolean;
}

export interface IntervalChart {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** What a reader who cannot see the picture should know. */
  readonly description: string;
  readonly rows: readonly IntervalRow[];
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
  /** A vertical line such as the target or zero. */
  readonly goal?: { readonly at: number; readonly text: string };
}

const WIDTH = 760;
const LEFT = 150;
const RIGHT = 160;
const TOP = 26;
const ROW = 30;

/** Points with their 95 % intervals, one row each, on a common axis. */
export function intervalChart(chart: IntervalChart): Markup {
  const { id, title, description, rows, ticks, goal } = chart;
  const bottom = TOP + rows.length * ROW;
  const x = scaleOf(chart);
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="${title}"><svg
    viewBox="0 0 ${WIDTH} ${bottom + 28}"
    role="img"
    aria-labelledby="${id}-t ${id}-d"
  >
    <title id="${id}-t">${title}</title>
    <desc id="${id}-d">${description}</desc>
    ${ticks.map(
      ({ at, text }) =>
        markup`<line class="axis" x1="${x(at)}" x2="${x(at)}" y1="${TOP}" y2="${bottom}" />
          <text class="soft" x="${x(at)}" y="${bottom + 18}" text-anchor="middle">${text}</text>`,
    )}
    ${goal ? [goalLine(x(goal.at), bottom, goal.text)] : []}
    ${rows.map((row, i) => drawRow(row, TOP + (i + 0.5) * ROW, x))}
  </svg></div>`;
}

function goalLine(x: number, bottom: number, text: string): Markup {
  return markup`<line class="goal" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${bottom}" />
    <text class="goal-label" x="${x}" y="${TOP - 11}" text-anchor="middle">${text}</text>`;
}

function drawRow(row: IntervalRow, y: number, x: (value: number) => number): Markup {
  const end = x(row.high);
  const arrow = row.open
    ? markup`<path class="mark" d="M${end + 12} ${y} l-8 -5 v10 z" />
        <line class="mark" x1="${end}" x2="${end + 6}" y1="${y}" y2="${y}" stroke-width="2" />`
    : markup`<line
        class="mark"
        x1="${end}"
        x2="${end}"
        y1="${y - 5}"
        y2="${y + 5}"
        stroke-width="2"
      />`;
  const low = x(row.low);
  return markup`<text x="${LEFT - 24}" y="${y + 4}" text-anchor="end">${clip(row.label)}</text>
    <line class="mark" x1="${low}" x2="${end}" y1="${y}" y2="${y}" stroke-width="2" />
    <line class="mark" x1="${low}" x2="${low}" y1="${y - 5}" y2="${y + 5}" stroke-width="2" />
    ${arrow}
    <circle class="mark" cx="${x(row.value)}" cy="${y}" r="5" />
    <text x="${WIDTH - RIGHT + 34}" y="${y + 4}">${row.text}</text>`;
}

function scaleOf({ rows, ticks, goal }: IntervalChart): (value: number) => number {
  const values = [
    ...rows.flatMap(({ low, high, value }) => [low, high, value]),
    ...ticks.map(({ at }) => at),
    ...(goal ? [goal.at] : []),
  ];
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const width = WIDTH - LEFT - RIGHT;
  return (value) => Math.round((LEFT + ((value - low) / span) * width) * 10) / 10;
}

/** Labels of JSON candidates can be long; the table beside the chart has them whole. */
function clip(label: string): string {
  const text = printable(label);
  return text.length > 18 ? `${text.slice(0, 17)}…` : text;
}

/** About seven round numbers that span an axis, zero among them where it is inside. */
export function roundTicks(low: number, high: number): readonly number[] {
  const span = high - low || 1;
  const rough = span / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= rough) ?? rough;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}
