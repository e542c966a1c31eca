import * as format from '../format.js';
import { multiple, percent, printable, tokens, trim } from '../format.js';
import { reachChart, shortAccuracyChart, shortLossChart, spectrumSvg } from '../plots/svg.js';
import type { CandidateReport, Interval, Report, Verdict } from '../schema/report.js';
import {
  partEnds,
  PARTS_COLUMNS,
  partsNote,
  partsRows,
  partsTitle,
  partValue,
} from '../sections/causes.js';
import { exactLines } from '../sections/exact.js';
import { findingLines } from '../sections/findings.js';
import {
  neighbourRows,
  NEIGHBOURS_HEAD,
  NEIGHBOURS_TITLE,
  neighboursNote,
} from '../sections/neighbours.js';
import { recommendationWords, scoreWords } from '../sections/recommendation.js';
import { offsetWords, servingTables } from '../sections/serving.js';
import * as words from '../sections/wording.js';
import { verdictWords } from '../sections/wording.js';
import { heatmapOf, rungAt, summaryLengths } from '../view.js';
import type { GateOutcome, Reporter } from './form.js';
import { markup, Markup } from './markup.js';

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

/** Accuracy by length and distance as a table, so that it can be read without seeing it. */
export function htmlHeatmap(candidate: CandidateReport): Markup {
  const heatmap = heatmapOf(candidate);
  if (heatmap === undefined) return markup``;
  const bins = heatmap.bins.map(({ to }) => `≤\u00a0${trim(to, 2)}`);
  return markup`<div>
    <h3><span class="label">${printable(candidate.label)}</span></h3>
    <div
      class="scroll"
      role="region"
      tabindex="0"
      aria-label="Heatmap of ${printable(candidate.label)}"
    >
      <table class="heat">
        <caption>
          Facts found, %; distance as a share of the length
        </caption>
        <thead>
          <tr>
            <th scope="col">tokens</th>
            ${bins.map((name) => markup`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${heatmap.rows.map(
            ({ rung, cells }) =>
              markup`<tr>
                <th scope="row">${tokens(rung.tokens)}</th>
                ${cells.map(drawCell)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </div>`;
}

function drawCell(share: number | null): Markup {
  if (share === null) return markup`<td>–</td>`;
  const step = HEAT[Math.round(share * (HEAT.length - 1))] ?? HEAT[0];
  const [background, text] = step ?? ['#fff', '#000'];
  const number = percent(share).replace(' %', '');
  return markup`<td style="background:${background};color:${text}">${number}</td>`;
}

/** The range over the neighbouring probe models; nothing where they were not run. */
export function htmlNeighbours(report: Report): Markup {
  const rows = neighbourRows(report);
  if (rows.length === 0) return markup``;
  return markup`<h3>${NEIGHBOURS_TITLE}</h3>
    <p class="note">${neighboursNote(report)}</p>
    <div class="scroll" role="region" tabindex="0" aria-label="Other probe models">
      <table>
        <thead>
          <tr>
            ${NEIGHBOURS_HEAD.map((head) => markup`<th scope="col">${head}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([label, ...cells]) =>
              markup`<tr>
                <th scope="row"><span class="label">${label!}</span></th>
                ${cells.map((cell) => markup`<td>${cell}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

/** RoPE against dilution; nothing where it was not measured. */
export function htmlParts(report: Report): Markup {
  const rows = partsRows(report);
  if (rows.length === 0) return markup``;
  return markup`<h3>${partsTitle(report)}</h3>
    <p class="note">${partsNote(report)}</p>
    <div class="scroll" role="region" tabindex="0" aria-label="RoPE and dilution">
      <table class="parts">
        <thead>
          <tr>
            <th scope="col">Candidate</th>
            ${PARTS_COLUMNS.map(([, head]) => markup`<th scope="col">${capital(head)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ candidate, parts }) =>
              markup`<tr>
                <th scope="row"><span class="label">${printable(candidate.label)}</span></th>
                ${PARTS_COLUMNS.map(
                  ([key]) =>
                    markup`<td>${partValue(parts[key])}<small>${partEnds(parts[key])}</small></td>`,
                )}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Forms of dynamic scalings, the switch of longrope, the offset; nothing where not measured. */
export function htmlServing(report: Report): Markup {
  const offset = offsetWords(report);
  return markup`${servingTables(report).map(
    ({ title, head, rows, note }) =>
      markup`<h3>${title}</h3>
        ${note === '' ? markup`` : markup`<p class="note">${note}</p>`}
        <div class="scroll" role="region" tabindex="0" aria-label="${title}">
          <table class="parts">
            <thead>
              <tr>
                ${head.map((name) => markup`<th scope="col">${name}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${rows.map(
                ([first, ...cells]) =>
                  markup`<tr>
                    <th scope="row">${first![0]}</th>
                    ${cells.map(
                      ([value, interval]) =>
                        markup`<td>${value}${interval ? markup`<small>${interval}</small>` : markup``}</td>`,
                    )}
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>`,
  )}${offset === '' ? markup`` : markup`<p class="note">${offset}</p>`}`;
}

const NOT_MEASURED = markup`<td>–</td>`;

/** The summary: a row a candidate, values with their intervals. */
export function htmlSummary(report: Report): Markup {
  const lengths = summaryLengths(report);
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Summary table">
    <table>
      <caption>
        Short context: change against the reference at 0.5x and 1x of the trained window. Needle:
        facts found. Small print: 95 % intervals.
      </caption>
      <thead>
        <tr>
          <th scope="col">Candidate</th>
          <th scope="col">Short-context accuracy, points</th>
          <th scope="col">Short-context loss, nats</th>
          ${lengths.map((length) => markup`<th scope="col">Needle at ${format.shortTokens(length)}</th>`)}
          <th scope="col">Reach, tokens</th>
          <th scope="col">Loss at ${format.shortTokens(report.target.tokens)}, nats</th>
          <th scope="col">Verdict</th>
        </tr>
      </thead>
      <tbody>
        ${report.candidates.map((candidate) => row(candidate, report, lengths))}
      </tbody>
    </table>
  </div>`;
}

function row(candidate: CandidateReport, report: Report, lengths: readonly number[]): Markup {
  const { label, role, short, reach, verdict } = candidate;
  const best = label === report.recommendation.candidate ? 'best' : '';
  const target = rungAt(candidate, report.target.tokens);
  return markup`<tr class="${best}">
    <th scope="row"><span class="label">${format.printable(label)}</span></th>
    ${
      role === 'reference'
        ? markup`<td>0</td>
            <td>0</td>`
        : markup`${change(short?.accuracyChange, 1, 100)}${change(short?.lossChange, 3, 1)}`
    }
    ${lengths.map((length) => needle(candidate, length))}
    ${reach ? markup`<td>${format.reachTokens(reach)}<small>${format.reachEnds(reach)}</small></td>` : NOT_MEASURED}
    ${target ? change(target.lossChange, 2, 1) : NOT_MEASURED}
    <td class="${TONES[verdict]}">${verdictWords(verdict)}</td>
  </tr>`;
}

function change(found: Interval | undefined, digits: number, scale: number): Markup {
  if (!found) return NOT_MEASURED;
  const value = format.signed(found.value * scale, digits);
  return markup`<td>${value}<small>${format.ends(found, digits, scale)}</small></td>`;
}

function needle(candidate: CandidateReport, length: number): Markup {
  const rung = rungAt(candidate, length);
  if (!rung) return NOT_MEASURED;
  const { value, low, high } = rung.accuracy;
  const ends = `${Math.round(low * 100)} … ${Math.round(high * 100)}`;
  return markup`<td>${format.percent(value)}<small>${ends}</small></td>`;
}

const TONES: Readonly<Record<Verdict, string>> = Object.freeze({
  reference: 'soft',
  reaches: 'good',
  'reaches-at-a-cost': 'warn',
  'falls-short': 'bad',
  'fails-short': 'bad',
  unclear: 'warn',
  'not-needed': 'soft',
});

/** No script, no font, no picture from anywhere: the page says so, and browsers hold it to that. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** One self-contained page. */
export const html: Reporter = (report, { gate, plots }) => {
  const model = printable(report.config.architecture ?? report.config.modelType);
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>rope-eval: ${model} to ${tokens(report.target.tokens)} tokens</title>
<style>${new Markup(STYLE)}</style></head>
<body><a class="skip" href="#summary">Skip to the summary</a>
<header><h1>${model}: RoPE scalings to ${tokens(report.target.tokens)} tokens</h1>
<p class="soft"><code>${printable(report.config.source)}</code>: trained on ${tokens(report.reference.trainedWindow)} tokens, ${multiple(report.target.multiple)} wanted</p></header>
<main>
${status(report)}${gate ? gateSection(gate) : markup``}
<section aria-labelledby="recommendation"><h2 id="recommendation">Recommendation</h2>
<div class="callout"><p>${recommendationWords(report)}</p>${settings(report)}</div>
${words.referenceWords(report).map((line) => markup`<p>${line}</p>`)}
<p><strong>${words.HONESTY}</strong></p></section>
${findings(report)}
<section aria-labelledby="summary"><h2 id="summary">Probed: on the bundled probe model</h2>
${htmlSummary(report)}
${words.localWords(report).map((line) => markup`<p>${line}</p>`)}
${htmlNeighbours(report)}
${htmlParts(report)}
${htmlServing(report)}
<p class="note">${scoreWords(report)} ${words.probeModelWords(report)} ${words.chanceWords(report)}</p></section>
${plots ? pictures(report) : markup``}
<section aria-labelledby="exact"><h2 id="exact">Exact: from the config alone</h2>
<ul>${exactLines(report).map((line) => markup`<li>${line}</li>`)}</ul>
${plots ? spectrumSvg(report) : markup``}</section>
</main>${footer(report)}</body></html>
`;
  return page.text;
};

function status(report: Report): Markup {
  const text = words.statusWords(report.status);
  return text === '' ? markup`` : markup`<p class="warn" role="status">${text}</p>`;
}

function settings(report: Report): Markup {
  return markup`${words
    .settingsWords(report)
    .map((block) =>
      block.includes('\n') ? markup`<pre>${block}</pre>` : markup`<p>${block}</p>`,
    )}`;
}

function findings(report: Report): Markup {
  const lines = findingLines(report.findings);
  if (lines.length === 0) return markup``;
  const tones = { error: 'bad', warning: 'warn', notice: 'soft' };
  return markup`<section aria-labelledby="findings"><h2 id="findings">Findings in the config</h2>
<ul class="findings">${lines.map(
    ({ severity, code, message }) =>
      markup`<li><span class="${tones[severity]}">${severity}</span> <code>${code}</code> ${message}</li>`,
  )}</ul></section>`;
}

function pictures(report: Report): Markup {
  return markup`<section aria-labelledby="reach-h"><h2 id="reach-h">Reach</h2>
<p class="note">The largest length at which every distance keeps half of the accuracy at 1x. An arrow: the ladder of lengths ended first.</p>
${reachChart(report)}</section>
<section aria-labelledby="short-h"><h2 id="short-h">Cost at the lengths that already worked</h2>
<h3>Loss change, nats</h3>${shortLossChart(report)}<h3>Accuracy change, points</h3>${shortAccuracyChart(report)}</section>
<section aria-labelledby="heat-h"><h2 id="heat-h">Facts found by length and distance</h2>
<div class="grid">${report.candidates.map(htmlHeatmap)}</div></section>`;
}

function gateSection({ verdict, rules }: GateOutcome): Markup {
  const tones = { passed: 'good', failed: 'bad', unverifiable: 'warn' };
  return markup`<section aria-labelledby="gate"><h2 id="gate">Gate: <span class="${tones[verdict]}">${verdict}</span></h2>
<div class="scroll" role="region" tabindex="0" aria-label="Gate rules"><table>
<thead><tr><th scope="col">Rule</th><th scope="col">Candidate</th><th scope="col">Level</th><th scope="col">Status</th><th scope="col">Found</th></tr></thead>
<tbody>${rules.map(
    ({ rule, candidate, level, status, message }) =>
      markup`<tr><th scope="row"><code>${printable(rule)}</code></th><td>${printable(candidate)}</td><td>${level}</td><td class="${tones[status]}">${status}</td><td>${printable(message)}</td></tr>`,
  )}</tbody></table></div></section>`;
}

function footer(report: Report): Markup {
  const { tool, createdAt, subject, runtime } = report;
  return markup`<footer><p class="note">rope-eval ${tool.version}, ${createdAt}; ${words.settingsUsedWords(report)} Probe model ${subject.name}, weights ${subject.weightsSha256.slice(0, 12)}; onnxruntime ${runtime.onnxruntime ?? 'not used'}, Node ${runtime.node}, ${runtime.platform}.</p></footer>`;
}
