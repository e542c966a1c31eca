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
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 2.25rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .35rem; } p { margin: .4rem 0; max-width: 48rem; }
a { color: var(--accent); } code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  padding: .75rem; overflow-x: auto; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; } .skip:focus { position: static; }
.soft { color: var(--soft); } .note { font-size: .9rem; color: var(--soft); }
.callout { border-left: 4px solid var(--accent); background: var(--panel);
  padding: .6rem 1rem; border-radius: 0 6px 6px 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .9rem; padding-bottom: .3rem; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  vertical-align: top; white-space: nowrap; }
th:first-child, td:last-child, th:last-child { text-align: left; }
td:last-child { white-space: normal; }
thead th { vertical-align: bottom; white-space: normal; max-width: 8rem; } tbody th { font-weight: 600; }
td small { display: block; color: var(--soft); }
tr.best th, tr.best td { background: var(--panel); }
.label { white-space: normal; overflow-wrap: anywhere; min-width: 6.5rem; max-width: 18rem;
  display: inline-block; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.heat td { text-align: center; border: 1px solid var(--paper); padding: .2rem .35rem; min-width: 2.4rem; }
.heat th { border: 0; font-weight: 400; padding: .2rem .35rem; white-space: nowrap; } .heat td:last-child, .heat th:last-child { text-align: center; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 0 2rem; }
svg { width: 100%; min-width: 36rem; height: auto; max-width: 48rem; display: block; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .soft { fill: var(--soft); }
svg .axis { stroke: var(--line); } svg .mark { stroke: var(--accent); fill: var(--accent); }
svg .curve { fill: none; stroke-width: 2; stroke: var(--soft); }
svg .curve.trained { stroke-dasharray: 2 4; stroke: var(--ink); }
svg .curve.scaled { stroke: var(--accent); stroke-width: 3; }
svg .goal { stroke: var(--warn); stroke-dasharray: 5 4; stroke-width: 1.5; }
svg .goal-label { fill: var(--warn); }
.parts td:last-child, .parts th:last-child { text-align: right; }
ul.findings { padding-left: 1.2rem; }
@media print { body { max-width: none; } .scroll { overflow: visible; } }
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
