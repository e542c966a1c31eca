import { printable, tokens } from '../format.js';
import type { Report } from '../schema.js';
import { markup, type Markup } from './template.js';

interface Line {
  readonly name: string;
  /** (pairs,) turns; pairs that stand still are 0 and are not drawn. */
  readonly turns: readonly number[];
  readonly style: 'trained' | 'plain' | 'scaled';
}

const WIDTH = 760;
const LEFT = 70;
const RIGHT = 20;
const TOP = 20;
const HEIGHT = 260;

/**
 * Turns of each rotary pair over the trained window and over the target. Pairs between the one-turn
 * line and the trained curve met every angle in training; others are asked for new ones.
 */
export function spectrum(report: Report): Markup {
  const group = report.geometry?.groups[0];
  if (group === undefined) return markup``;
  const scaled = group.candidates.find(({ label }) => label === report.recommendation.candidate);
  const trainedRange = tokens(group.trainedRange);
  const targetRange = tokens(group.targetRange);
  const lines: Line[] = [
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
  return draw(lines);
}

function draw(lines: readonly Line[]): Markup {
  const pairs = Math.max(...lines.map(({ turns }) => turns.length));
  const logs = lines.flatMap(({ turns }) => turns.filter((t) => t > 0).map(Math.log10));
  if (logs.length === 0 || pairs < 2) return markup``;
  const low = Math.floor(Math.min(0, ...logs));
  const high = Math.ceil(Math.max(0, ...logs));
  const x = (pair: number): number => round(LEFT + (pair / (pairs - 1)) * (WIDTH - LEFT - RIGHT));
  const y = (log: number): number => round(TOP + ((high - log) / (high - low)) * HEIGHT);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const bottom = TOP + HEIGHT;
  const description = lines.map(({ name, turns }) => `${name}: ${slowest(turns)}`).join('; ');
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Turns of each rotary pair">
<svg viewBox="0 0 ${WIDTH} ${bottom + 30 + 20 * lines.length}" role="img" aria-labelledby="spectrum-t spectrum-d">
<title id="spectrum-t">Turns of each rotary pair, logarithmic</title><desc id="spectrum-d">${description}</desc>
${ticks.map(
  (
    log,
  ) => markup`<line class="${log === 0 ? 'goal' : 'axis'}" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(log)}" y2="${y(log)}"/>
<text class="soft" x="${LEFT - 8}" y="${y(log) + 4}" text-anchor="end">${log === 0 ? '1 turn' : tick(log)}</text>`,
)}
<text class="soft" x="${LEFT}" y="${bottom + 18}">pair 0, the fastest</text>
<text class="soft" x="${WIDTH - RIGHT}" y="${bottom + 18}" text-anchor="end">pair ${pairs - 1}</text>
${lines.map(({ name, turns, style }, i) => {
  const points = turns.flatMap((t, pair) => (t > 0 ? [`${x(pair)},${y(Math.log10(t))}`] : []));
  const row = bottom + 38 + 20 * i;
  return markup`<polyline class="curve ${style}" points="${points.join(' ')}"/>
<line class="curve ${style}" x1="${LEFT}" x2="${LEFT + 40}" y1="${row - 4}" y2="${row - 4}"/><text x="${LEFT + 50}" y="${row}">${name}</text>`;
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
