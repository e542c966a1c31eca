import { percent, printable, tokens, trim } from '../format.js';
import { reportSections } from '../sections/index.js';
import {
  type Block,
  type TableCell,
  type HeatmapBlock,
  type IntervalChart,
  type IntervalRow,
  type MarkedLine,
  type Section,
  sectionsToDraw,
  type TableBlock,
  type TurnsChart,
} from '../sections/section.js';
import { markup, Markup, type Reporter } from './form.js';

/** Makes browsers enforce that the page loads no scripts, fonts or pictures. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** Draws a report as one self-contained page. */
export const html: Reporter = (report, { gate, plots }) =>
  htmlOf(reportSections(report, gate), { plots });

/** Draws any document as one self-contained page. */
export function htmlOf(
  sections: readonly Section[],
  { plots }: { readonly plots: boolean },
): string {
  const drawn = sectionsToDraw(sections, plots, ['plot']);
  const [head, ...rest] = drawn;
  const title = printable(head?.title ?? '');
  const chapters = rest.filter(({ depth = 2, title }) => depth === 2 && title !== undefined);
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>rope-eval: ${title}</title>
<style>${new Markup(STYLE)}</style></head>
<body><a class="skip" href="#main">Skip to the report</a>
<header><h1>${title}</h1>${(head?.blocks ?? []).map((block) => drawBlock(block))}
<nav aria-label="Sections"><ul>${chapters.map(({ id, title }) => markup`<li><a href="#${id}">${title!}</a></li>`)}</ul></nav></header>
<main id="main">
${rest.map(drawSection)}
</main></body></html>
`;
  return page.text;
}

function drawSection({ id, title, depth, prominent = false, blocks }: Section): Markup {
  const body = markup`${groupHeatmaps(blocks, title)}`;
  const inner = prominent ? markup`<div class="callout">${body}</div>` : body;
  if (title === undefined) return inner;
  const heading =
    depth === 3
      ? markup`<h3 id="${id}">${printable(title)}</h3>`
      : markup`<h2 id="${id}">${printable(title)}</h2>`;
  return markup`<section aria-labelledby="${id}">${heading}${inner}</section>`;
}

/** Places heatmaps side by side if there is room. */
function groupHeatmaps(blocks: readonly Block[], title?: string): readonly Markup[] {
  const heatmaps = blocks.filter((block) => block.kind === 'heatmap');
  const others = blocks
    .filter((block) => block.kind !== 'heatmap')
    .map((block) => drawBlock(block, title));
  if (heatmaps.length === 0) return others;
  return [...others, markup`<div class="grid">${heatmaps.map(drawHeatmap)}</div>`];
}

/** @param title of the section, which a caption need not repeat */
function drawBlock(block: Block, title?: string): Markup {
  switch (block.kind) {
    case 'text':
      return markup`<p class="${block.tone ?? 'plain'}">${printable(block.text)}</p>`;
    case 'list':
      return markup`<ul>${block.items.map((item) => markup`<li>${printable(item)}</li>`)}</ul>`;
    case 'marks':
      return markup`<ul class="marks">${block.lines.map(drawMark)}</ul>`;
    case 'code':
      return drawCode(block);
    case 'table':
      return drawTable(block, title);
    case 'heatmap':
      return drawHeatmap(block);
    case 'intervals':
      return intervalFigure(block);
    case 'turns':
      return turnsFigure(block);
    case 'plot':
      return markup``;
  }
}

/** Draws code to copy. It can take the focus, so that the keyboard can scroll it, and so has a name. */
function drawCode({ lead, text, language }: Extract<Block, { readonly kind: 'code' }>): Markup {
  const name = lead?.replace(/:$/, '') ?? (language === 'sh' ? 'Command' : 'Settings');
  const before = lead === undefined ? markup`` : markup`<p>${printable(lead)}</p>`;
  return markup`${before}<pre tabindex="0" role="group" aria-label="${printable(name)}"><code>${text}</code></pre>`;
}

function drawMark({ mark, tone, code, text, more }: MarkedLine): Markup {
  const name = code === undefined ? markup`` : markup` <code>${code}</code>`;
  const rest = more === undefined ? markup`` : markup`<br>${printable(more)}`;
  return markup`<li><span class="${tone}">${mark}</span>${name} ${printable(text)}${rest}</li>`;
}

/** Makes a region that scrolls. It can take the focus, so that the keyboard can scroll it. */
function region(name: string, body: Markup): Markup {
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="${printable(name)}">${body}</div>`;
}

function drawTable({ name, columns, rows }: TableBlock, title?: string): Markup {
  const head = columns.map(
    ({ title, align }) => markup`<th scope="col" class="${align}">${printable(title)}</th>`,
  );
  const body = rows.map(({ cells, marked = false }) => {
    const drawn = columns.map(({ align }, i) => drawCell(cells[i], align, { isHead: i === 0 }));
    return markup`<tr class="${marked ? 'best' : ''}">${drawn}</tr>`;
  });
  const table =
    name === title
      ? markup`<table aria-label="${printable(name)}">`
      : markup`<table><caption>${printable(name)}</caption>`;
  return region(
    name,
    markup`${table}<thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`,
  );
}

function drawCell(
  cell: TableCell | undefined,
  align: 'left' | 'right',
  { isHead }: { readonly isHead: boolean },
): Markup {
  const { text, detail, tone, name } = cell ?? { text: '' };
  const value = name
    ? markup`<span class="label">${printable(text)}</span>`
    : markup`${printable(text)}`;
  const body = markup`${value}${detail === undefined ? markup`` : markup`<small>${detail}</small>`}`;
  const style = `${align} ${tone ?? ''}`.trim();
  return isHead
    ? markup`<th scope="row" class="${style}">${body}</th>`
    : markup`<td class="${style}">${body}</td>`;
}

/** Draws accuracy by length and distance as a table, so that screen readers can read it. */
function drawHeatmap({ label, heatmap }: HeatmapBlock): Markup {
  const bins = heatmap.bins.map(({ to }) => `≤\u00a0${trim(to, 2)}`);
  const rows = heatmap.rows.map(
    ({ rung, cells }) =>
      markup`<tr><th scope="row">${tokens(rung.tokens)}</th>${cells.map(heatCell)}</tr>`,
  );
  const table = markup`<table class="heat">
<caption>${printable(label)}: facts found, % (columns: distance as a share of the length)</caption>
<thead><tr><th scope="col">tokens</th>${bins.map((name) => markup`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>`;
  return markup`<div><h3><span class="label">${printable(label)}</span></h3>${region(`Heatmap of ${label}`, table)}</div>`;
}

function heatCell(share: number | null): Markup {
  if (share === null) return markup`<td>–</td>`;
  const step = HEAT[Math.round(share * (HEAT.length - 1))] ?? HEAT[0];
  const [background, text] = step ?? ['#fff', '#000'];
  const number = percent(share).replace(' %', '');
  return markup`<td style="background:${background};color:${text}">${number}</td>`;
}

/**
 * Draws points with their 95 % intervals, one row each, on a common axis. It uses boxes positioned
 * by percentages and not a picture, so that labels keep their size and the axis takes all the
 * available width.
 */
function intervalFigure({ id, title, rows, ticks, goal }: IntervalChart): Markup {
  const at = scaleOf({ rows, ticks, goal });
  const description = rows.map(({ label, text }) => `${label}: ${text}`).join('; ');
  return markup`<figure class="intervals" role="img" aria-labelledby="${id}" aria-describedby="${id}-d">
<figcaption id="${id}">${title}</figcaption>
<p class="unseen" id="${id}-d">${printable(description)}</p>
<div class="axis-row top"><span></span><span class="track"><span class="tick goal-text ${edgeOf(at(goal.at))}" style="left:${at(goal.at)}%">${goal.text}</span></span><span></span></div>
${rows.map((row) => intervalRow(row, at, goal.at, ticks))}
<div class="axis-row"><span></span><span class="track">${ticks.map(
    (tick) => markup`<span class="tick" style="left:${at(tick.at)}%">${tick.text}</span>`,
  )}</span><span></span></div></figure>`;
}

/** Keeps labels at the ends of the axis inside a narrow page. */
function edgeOf(place: number): string {
  return place < 10 ? 'first' : place > 90 ? 'last' : '';
}

function intervalRow(
  { label, value, low, high, text, open = false }: IntervalRow,
  at: (value: number) => number,
  goal: number,
  ticks: IntervalChart['ticks'],
): Markup {
  const [start, end] = [at(low), at(high)];
  return markup`<div class="interval-row"><span class="label">${printable(label)}</span><span class="track">
${ticks.map((tick) => markup`<i class="grid-line" style="left:${at(tick.at)}%"></i>`)}<i class="goal-line" style="left:${at(goal)}%"></i>
<i class="bar${open ? ' open' : ''}${low === high ? ' point' : ''}" style="left:${start}%;width:${Math.round((end - start) * 100) / 100}%"></i><i class="dot" style="left:${at(value)}%"></i></span><span class="value">${text}</span></div>`;
}

/** Converts values to positions on the axis in per cent. */
function scaleOf({
  rows,
  ticks,
  goal,
}: Pick<IntervalChart, 'rows' | 'ticks' | 'goal'>): (value: number) => number {
  const values = [
    ...rows.flatMap(({ low, high, value }) => [low, high, value]),
    ...ticks.map(({ at }) => at),
    goal.at,
  ];
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  return (value) => Math.round(((value - low) / span) * 10_000) / 100;
}

const WIDTH = 760;
const LEFT = 100;
const RIGHT = 20;
const TOP = 20;
const HEIGHT = 260;

/** Draws the turns of each rotary pair as curves. The legend is text below, so that it can wrap. */
export function turnsFigure({ lines }: TurnsChart): Markup {
  const pairs = Math.max(...lines.map(({ turns }) => turns.length));
  const logs = lines.flatMap(({ turns }) => turns.filter((t) => t > 0).map(Math.log10));
  if (logs.length === 0 || pairs < 2) return markup``;
  const low = Math.floor(Math.min(0, ...logs));
  const high = Math.ceil(Math.max(0, ...logs));
  const x = (pair: number): number => round(LEFT + (pair / (pairs - 1)) * (WIDTH - LEFT - RIGHT));
  const y = (log: number): number => round(TOP + ((high - log) / (high - low || 1)) * HEIGHT);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  const bottom = TOP + HEIGHT;
  const description = lines.map(({ name, turns }) => `${name}: ${slowest(turns)}`).join('; ');
  return markup`<figure aria-labelledby="turns-c">
<figcaption id="turns-c">Turns of each rotary pair, logarithmic</figcaption>
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

/**
 * One style sheet for both colour schemes. Text has a contrast of at least 4.5 : 1, including the
 * heatmaps, whose cells set their own text colour.
 */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff;
  --panel: #f6f8fa; --line: #d0d7de; --accent: #0a58ca; --bad: #b3261e; --good: #1a6b34;
  --warn: #7a5200; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa6b2; --paper: #0d1117;
  --panel: #161b22; --line: #30363d; --accent: #6cb0ff; --bad: #ff8a80; --good: #6fdc8c;
  --warn: #f2c14e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .35rem; }
p { margin: .4rem 0; max-width: 48rem; overflow-wrap: anywhere; } li { max-width: 48rem; overflow-wrap: anywhere; }
a { color: var(--accent); } code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  padding: .75rem; overflow-x: auto; } pre code { font-size: 1em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; } .skip:focus { position: static; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
nav ul { list-style: none; padding: 0; margin: .75rem 0 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
p.soft { font-size: .9rem; } .soft { color: var(--soft); } .strong { font-weight: 600; }
.callout { border-left: 4px solid var(--accent); background: var(--panel);
  padding: .6rem 1rem; border-radius: 0 6px 6px 0; } .callout pre { background: var(--paper); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .3rem; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  vertical-align: top; white-space: nowrap; }
th.left, td.left { text-align: left; } td.left { white-space: normal; }
thead th { vertical-align: bottom; white-space: normal; max-width: 8rem; } tbody th { font-weight: 600; }
/* The name of a row stays in sight where the rest scrolls. */
.scroll tr > th:first-child { position: sticky; left: 0; background: var(--paper); }
td small { display: block; color: var(--soft); }
tr.best th, tr.best td, .scroll tr.best > th:first-child { background: var(--panel); }
tr.best th:first-child { box-shadow: inset 4px 0 var(--accent); }
.label { white-space: normal; overflow-wrap: anywhere; min-width: 6.5rem; max-width: 18rem;
  display: inline-block; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.heat { width: 100%; max-width: 34rem; }
.heat td { text-align: center; border: 1px solid var(--paper); padding: .2rem .35rem; min-width: 2.4rem; }
.heat th { border: 0; font-weight: 400; padding: .2rem .35rem; white-space: nowrap; text-align: center; }
.heat tbody th { text-align: right; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); gap: 0 2rem; }
figure { margin: 1rem 0 1.5rem; max-width: 60rem; } figcaption { font-weight: 600; margin-bottom: .35rem; }
.interval-row, .axis-row { display: grid; align-items: center; column-gap: .9rem;
  grid-template-columns: minmax(5.5rem, 10rem) 1fr 7.5rem; font-size: .9rem; }
.interval-row .label { text-align: right; min-width: 0; justify-self: end; }
.interval-row .value { font-variant-numeric: tabular-nums; }
.track { position: relative; height: 1.9rem; margin: 0 .6rem; }
.axis-row .track { height: 1.4rem; }
.track i { position: absolute; display: block; }
.grid-line, .goal-line { top: 0; bottom: 0; width: 0; border-left: 1px solid var(--line); }
.goal-line { border-left: 2px dashed var(--warn); margin-left: -1px; }
.bar { top: 50%; height: 2px; margin-top: -1px; background: var(--accent); }
.bar::before, .bar::after { content: ""; position: absolute; top: -5px; height: 12px; width: 2px; background: var(--accent); }
.bar::before { left: 0; } .bar::after { right: 0; }
.bar.point::before, .bar.point::after { display: none; }
.bar.open::after { right: -14px; width: 0; height: 0; top: -5px; background: none;
  border: 6px solid transparent; border-left: 9px solid var(--accent); border-right: 0; display: block; }
.dot { width: 10px; height: 10px; border-radius: 50%; background: var(--accent); top: 50%; margin: -5px 0 0 -5px; }
.tick { position: absolute; transform: translateX(-50%); color: var(--soft); font-size: .8rem; white-space: nowrap; }
.goal-text { color: var(--warn); }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--ink); font: 14px system-ui, sans-serif; } svg .soft { fill: var(--soft); }
svg .axis { stroke: var(--line); } svg .curve { fill: none; stroke-width: 2; stroke: var(--soft); }
svg .curve.trained { stroke-dasharray: 2 4; stroke: var(--ink); }
svg .curve.scaled { stroke: var(--accent); stroke-width: 3; }
svg .goal { stroke: var(--warn); stroke-dasharray: 5 4; stroke-width: 1.5; }
.legend { list-style: none; padding: 0; margin: .25rem 0; font-size: .9rem; }
.key { display: inline-block; width: 40px; vertical-align: middle; }
ul.marks { padding-left: 1.2rem; }
@media (max-width: 40rem) { body { padding: 1rem; } svg text { font-size: 22px; }
  .interval-row { grid-template-columns: 1fr auto; } .interval-row .label { grid-column: 1; justify-self: start; }
  .interval-row .value { grid-column: 2; grid-row: 1; } .interval-row .track { grid-column: 1 / -1; grid-row: 2; height: 1.4rem; }
  .tick.first { transform: translateX(-.6rem); } .tick.last { transform: translateX(calc(.6rem - 100%)); }
  .axis-row { grid-template-columns: 0 1fr 0; column-gap: 0; } .tick.thin { display: none; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav, .skip { display: none; }
  .scroll { overflow: visible; } .scroll tr > th:first-child { position: static; } figure, table, tr, .callout, pre { break-inside: avoid; }
  p, li { orphans: 3; widows: 3; }
  h2, h3, figcaption { break-after: avoid; } table { font-size: 8.5pt; } th, td { padding: .2rem .35rem; }
  .heat td, .track i, .bar::before, .bar::after { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

/** Background and text colour of a heatmap cell, from no facts found to all, for both schemes. */
export const HEAT: readonly (readonly [background: string, text: string])[] = Object.freeze([
  ['#f7fbff', '#1b1f24'],
  ['#e3eef9', '#1b1f24'],
  ['#cfe1f2', '#1b1f24'],
  ['#b5d4e9', '#1b1f24'],
  ['#93c3df', '#1b1f24'],
  ['#6daed5', '#1b1f24'],
  ['#4b97c9', '#10151a'],
  ['#2a72b2', '#ffffff'],
  ['#18609f', '#ffffff'],
  ['#0b4d8c', '#ffffff'],
  ['#08306b', '#ffffff'],
]);
