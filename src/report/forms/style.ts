/**
 * One sheet for both schemes. Text keeps a contrast of at least 4.5 : 1, also on the heatmaps,
 * whose cells carry their own text colour.
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
td small { display: block; color: var(--soft); }
tr.best th, tr.best td { background: var(--panel); }
tr.best th:first-child { box-shadow: inset 4px 0 var(--accent); }
.label { white-space: normal; overflow-wrap: anywhere; min-width: 6.5rem; max-width: 18rem;
  display: inline-block; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.heat td { text-align: center; border: 1px solid var(--paper); padding: .2rem .35rem; min-width: 2.4rem; }
.heat th { border: 0; font-weight: 400; padding: .2rem .35rem; white-space: nowrap; text-align: center; }
.heat tbody th { text-align: right; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 2rem; }
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
@media (max-width: 40rem) { body { padding: 1rem; } svg text { font-size: 24px; }
  .interval-row { grid-template-columns: 1fr auto; } .interval-row .label { grid-column: 1; justify-self: start; }
  .interval-row .value { grid-column: 2; grid-row: 1; } .interval-row .track { grid-column: 1 / -1; grid-row: 2; height: 1.4rem; }
  .axis-row { grid-template-columns: 0 1fr 0; column-gap: 0; } .tick.thin { display: none; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav, .skip { display: none; }
  .scroll { overflow: visible; } figure, .heat, tr, .callout, pre { break-inside: avoid; }
  h2, h3, figcaption { break-after: avoid; } table { font-size: 8.5pt; } th, td { padding: .2rem .35rem; }
  .heat td, .track i, .bar::before, .bar::after { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

/** Background and text of a heatmap cell, from nothing found to everything; same in both schemes. */
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
