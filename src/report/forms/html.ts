import { percent, printable, tokens, trim } from '../format.js';
import { reportSections } from '../sections/index.js';
import {
  sectionsToDraw,
  type Block,
  type Cell,
  type HeatmapBlock,
  type IntervalChart,
  type IntervalRow,
  type MarkedLine,
  type Section,
  type TableBlock,
  type Tone,
} from '../sections/section.js';
import type { Reporter } from './form.js';
import { markup, Markup } from './markup.js';
import { HEAT, STYLE } from './style.js';
import { turnsFigure } from './svg.js';

/** No script, no font, no picture from anywhere: the page says so, and browsers hold it to that. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** One self-contained page. */
export const html: Reporter = (report, { gate, plots }) =>
  htmlOf(reportSections(report, gate), { plots });

/** Any document as one self-contained page. */
export function htmlOf(
  sections: readonly Section[],
  { plots }: { readonly plots: boolean },
): string {
  const drawn = sectionsToDraw(sections, plots, ['plot']);
  const [head, ...rest] = drawn;
  const title = printable(head?.title ?? '');
  const chapters = rest.filter(({ depth, title }) => depth === 2 && title !== undefined);
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>rope-eval: ${title}</title>
<style>${new Markup(STYLE)}</style></head>
<body><a class="skip" href="#main">Skip to the report</a>
<header><h1>${title}</h1>${(head?.blocks ?? []).map(drawBlock)}
<nav aria-label="Sections"><ul>${chapters.map(({ id, title }) => markup`<li><a href="#${id}">${title!}</a></li>`)}</ul></nav></header>
<main id="main">
${rest.map(drawSection)}
</main></body></html>
`;
  return page.text;
}

function drawSection({ id, title, depth, prominent = false, blocks }: Section): Markup {
  const body = markup`${groupHeatmaps(blocks)}`;
  const inner = prominent ? markup`<div class="callout">${body}</div>` : body;
  if (title === undefined) return inner;
  const heading =
    depth === 3
      ? markup`<h3 id="${id}">${printable(title)}</h3>`
      : markup`<h2 id="${id}">${printable(title)}</h2>`;
  return markup`<section aria-labelledby="${id}">${heading}${inner}</section>`;
}

/** Heatmaps stand side by side where there is room. */
function groupHeatmaps(blocks: readonly Block[]): readonly Markup[] {
  const heatmaps = blocks.filter((block) => block.kind === 'heatmap');
  if (heatmaps.length === 0) return blocks.map(drawBlock);
  const others = blocks.filter((block) => block.kind !== 'heatmap').map(drawBlock);
  return [...others, markup`<div class="grid">${heatmaps.map(drawHeatmap)}</div>`];
}

function drawBlock(block: Block): Markup {
  switch (block.kind) {
    case 'text':
      return markup`<p class="${toneClass(block.tone)}">${printable(block.text)}</p>`;
    case 'list':
      return markup`<ul>${block.items.map((item) => markup`<li>${printable(item)}</li>`)}</ul>`;
    case 'marks':
      return markup`<ul class="marks">${block.lines.map(drawMark)}</ul>`;
    case 'code':
      return markup`${block.lead === undefined ? markup`` : markup`<p>${printable(block.lead)}</p>`}<pre tabindex="0"><code>${block.text}</code></pre>`;
    case 'table':
      return drawTable(block);
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

function drawMark({ mark, tone, code, text, more }: MarkedLine): Markup {
  const name = code === undefined ? markup`` : markup` <code>${code}</code>`;
  const rest = more === undefined ? markup`` : markup`<br>${printable(more)}`;
  return markup`<li><span class="${tone}">${mark}</span>${name} ${printable(text)}${rest}</li>`;
}

function toneClass(tone: Tone | undefined): string {
  return tone ?? 'plain';
}

/** A region that scrolls takes the focus, so that the keyboard can scroll it. */
function region(name: string, body: Markup): Markup {
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="${printable(name)}">${body}</div>`;
}

function drawTable({ name, columns, rows }: TableBlock): Markup {
  const head = columns.map(
    ({ title, align }) => markup`<th scope="col" class="${align}">${printable(title)}</th>`,
  );
  const body = rows.map(({ cells, marked = false }) => {
    const drawn = columns.map(({ align }, i) => drawCell(cells[i], i === 0, align));
    return markup`<tr class="${marked ? 'best' : ''}">${drawn}</tr>`;
  });
  return region(name, markup`<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`);
}

function drawCell(cell: Cell | undefined, first: boolean, align: 'left' | 'right'): Markup {
  const { text, detail, tone, name } = cell ?? { text: '' };
  const value = name
    ? markup`<span class="label">${printable(text)}</span>`
    : markup`${printable(text)}`;
  const body = markup`${value}${detail === undefined ? markup`` : markup`<small>${detail}</small>`}`;
  const style = `${align} ${tone ?? ''}`.trim();
  return first
    ? markup`<th scope="row" class="${style}">${body}</th>`
    : markup`<td class="${style}">${body}</td>`;
}

/** Accuracy by length and distance as a table, so that it can be read without seeing it. */
function drawHeatmap({ label, heatmap }: HeatmapBlock): Markup {
  const bins = heatmap.bins.map(({ to }) => `≤\u00a0${trim(to, 2)}`);
  const rows = heatmap.rows.map(
    ({ rung, cells }) =>
      markup`<tr><th scope="row">${tokens(rung.tokens)}</th>${cells.map(heatCell)}</tr>`,
  );
  const table = markup`<table class="heat">
<caption>Facts found, %; distance as a share of the length</caption>
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
 * Points with their 95 % intervals, one row each, on a common axis. Boxes placed by percentages
 * rather than a picture: labels keep their size and the axis takes the width that there is.
 */
function intervalFigure({ id, title, rows, ticks, goal }: IntervalChart): Markup {
  const at = scaleOf({ rows, ticks, goal });
  const description = rows.map(({ label, text }) => `${label}: ${text}`).join('; ');
  return markup`<figure class="intervals" role="img" aria-labelledby="${id}" aria-describedby="${id}-d">
<figcaption id="${id}">${title}</figcaption>
<p class="unseen" id="${id}-d">${printable(description)}</p>
<div class="axis-row top"><span></span><span class="track"><span class="tick goal-text" style="left:${at(goal.at)}%">${goal.text}</span></span><span></span></div>
${rows.map((row) => intervalRow(row, at, goal.at, ticks))}
<div class="axis-row"><span></span><span class="track">${ticks.map(
    (tick) => markup`<span class="tick" style="left:${at(tick.at)}%">${tick.text}</span>`,
  )}</span><span></span></div></figure>`;
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

/** Values to shares of the axis in per cent. */
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
