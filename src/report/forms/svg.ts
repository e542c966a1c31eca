import { tokens } from '../format.js';
import type { TurnsChart } from '../sections/section.js';
import { markup, type Markup } from './markup.js';

const WIDTH = 760;
const LEFT = 70;
const RIGHT = 20;
const TOP = 20;
const HEIGHT = 260;

/** Turns of each rotary pair as curves; the legend stands below as text, so that it wraps. */
export function turnsFigure({ lines }: TurnsChart): Markup {
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
  return markup`<figure>
<figcaption>Turns of each rotary pair, logarithmic</figcaption>
<svg viewBox="0 0 ${WIDTH} ${bottom + 30}" role="img" aria-labelledby="turns-t turns-d">
<title id="turns-t">Turns of each rotary pair, logarithmic</title><desc id="turns-d">${description}</desc>
${ticks.map(
  (
    log,
  ) => markup`<line class="${log === 0 ? 'goal' : 'axis'}" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(log)}" y2="${y(log)}"/>
<text class="soft" x="${LEFT - 8}" y="${y(log) + 5}" text-anchor="end">${log === 0 ? '1 turn' : tick(log)}</text>`,
)}
<text class="soft" x="${LEFT}" y="${bottom + 22}">pair 0, the fastest</text>
<text class="soft" x="${WIDTH - RIGHT}" y="${bottom + 22}" text-anchor="end">pair ${pairs - 1}</text>
${lines.map(({ turns, style }) => {
  const points = turns.flatMap((t, pair) => (t > 0 ? [`${x(pair)},${y(Math.log10(t))}`] : []));
  return markup`<polyline class="curve ${style}" points="${points.join(' ')}"/>`;
})}
</svg>
<ul class="legend">${lines.map(
    ({ name, style }) =>
      markup`<li><svg class="key" viewBox="0 0 40 8" aria-hidden="true"><line class="curve ${style}" x1="0" x2="40" y1="4" y2="4"/></svg> ${name}</li>`,
  )}</ul></figure>`;
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
