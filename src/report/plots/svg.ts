import * as format from '../format.js';
import { printable, tokens } from '../format.js';
import { markup, type Markup } from '../forms/markup.js';
import type { CandidateReport, Interval, Report } from '../schema/report.js';

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

interface SpectrumLine {
  readonly name: string;
  /** (pairs,) turns; pairs that stand still are 0 and are not drawn. */
  readonly turns: readonly number[];
  readonly style: 'trained' | 'plain' | 'scaled';
}

const SPECTRUM_WIDTH = 760;
const SPECTRUM_LEFT = 70;
const SPECTRUM_RIGHT = 20;
const SPECTRUM_TOP = 20;
const SPECTRUM_HEIGHT = 260;

/**
 * Turns of each rotary pair over the trained window and over the target. Pairs between the one-turn
 * line and the trained curve met every angle in training; others are asked for new ones.
 */
export function spectrumSvg(report: Report): Markup {
  const group = report.geometry?.groups[0];
  if (group === undefined) return markup``;
  const scaled = group.candidates.find(({ label }) => label === report.recommendation.candidate);
  const trainedRange = tokens(group.trainedRange);
  const targetRange = tokens(group.targetRange);
  const lines: SpectrumLine[] = [
    {
      name: `reference over ${targetRange} tokens`,
      turns: group.reference.rotationsTarget,
      style: 'plain',
    },
  ];
  if (scaled) {
    const name = `${printable(scaled.label)} over ${targetRange} tokens`;
    lines.push({ name, turns: scaled.rotationsTarget, style: 'scaled' });
  }
  // Last, so that its dots lie on top where a scaling leads back to it.
  lines.push({
    name: `reference over ${trainedRange} tokens, as trained`,
    turns: group.reference.rotationsTrained,
    style: 'trained',
  });
  return drawSpectrum(lines);
}

function drawSpectrum(lines: readonly SpectrumLine[]): Markup {
  const pairs = Math.max(...lines.map(({ turns }) => turns.length));
  const logs = lines.flatMap(({ turns }) => turns.filter((t) => t > 0).map(Math.log10));
  if (logs.length === 0 || pairs < 2) return markup``;
  const low = Math.floor(Math.min(0, ...logs));
  const high = Math.ceil(Math.max(0, ...logs));
  const x = (pair: number): number =>
    round(SPECTRUM_LEFT + (pair / (pairs - 1)) * (SPECTRUM_WIDTH - SPECTRUM_LEFT - SPECTRUM_RIGHT));
  const y = (log: number): number =>
    round(SPECTRUM_TOP + ((high - log) / (high - low)) * SPECTRUM_HEIGHT);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const bottom = SPECTRUM_TOP + SPECTRUM_HEIGHT;
  const description = lines.map(({ name, turns }) => `${name}: ${slowest(turns)}`).join('; ');
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Turns of each rotary pair">
<svg viewBox="0 0 ${SPECTRUM_WIDTH} ${bottom + 30 + 20 * lines.length}" role="img" aria-labelledby="spectrum-t spectrum-d">
<title id="spectrum-t">Turns of each rotary pair, logarithmic</title><desc id="spectrum-d">${description}</desc>
${ticks.map(
  (
    log,
  ) => markup`<line class="${log === 0 ? 'goal' : 'axis'}" x1="${SPECTRUM_LEFT}" x2="${SPECTRUM_WIDTH - SPECTRUM_RIGHT}" y1="${y(log)}" y2="${y(log)}"/>
<text class="soft" x="${SPECTRUM_LEFT - 8}" y="${y(log) + 4}" text-anchor="end">${log === 0 ? '1 turn' : tick(log)}</text>`,
)}
<text class="soft" x="${SPECTRUM_LEFT}" y="${bottom + 18}">pair 0, the fastest</text>
<text class="soft" x="${SPECTRUM_WIDTH - SPECTRUM_RIGHT}" y="${bottom + 18}" text-anchor="end">pair ${pairs - 1}</text>
${lines.map(({ name, turns, style }, i) => {
  const points = turns.flatMap((t, pair) => (t > 0 ? [`${x(pair)},${y(Math.log10(t))}`] : []));
  const row = bottom + 38 + 20 * i;
  return markup`<polyline class="curve ${style}" points="${points.join(' ')}"/>
<line class="curve ${style}" x1="${SPECTRUM_LEFT}" x2="${SPECTRUM_LEFT + 40}" y1="${row - 4}" y2="${row - 4}"/><text x="${SPECTRUM_LEFT + 50}" y="${row}">${name}</text>`;
})}
</svg></div>`;
}

function tick(log: number): string {
  return log > 0 ? tokens(10 ** log) : String(Number((10 ** log).toPrecision(1)));
}

function slowest(turns: readonly number[]): string {
  const turning = turns.filter((t) => t > 0);
  const fewest = Math.min(...turning);
  return `${turning.filter((t) => t < 1).length} of ${turns.length} pairs below one turn, the slowest makes ${Number(fewest.toPrecision(2))}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
