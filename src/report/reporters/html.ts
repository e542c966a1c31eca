import { findingLines } from '../finding-words.js';
import { multiple, printable, tokens } from '../format.js';
import { reachChart, shortAccuracyChart, shortLossChart } from '../html/charts.js';
import { htmlHeatmap } from '../html/heatmap.js';
import { htmlNeighbours } from '../html/neighbours.js';
import { htmlParts } from '../html/parts.js';
import { htmlServing } from '../html/serving.js';
import { spectrum } from '../html/spectrum.js';
import { STYLE } from '../html/style.js';
import { htmlSummary } from '../html/summary.js';
import { markup, Markup } from '../html/template.js';
import type { GateOutcome } from '../gate-outcome.js';
import type { Report } from '../schema.js';
import { exactLines } from '../text/exact.js';
import { scoreWords } from '../score-words.js';
import { recommendationWords } from '../recommendation-words.js';
import * as words from '../wording.js';
import type { Reporter } from './reporter.js';

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
${plots ? spectrum(report) : markup``}</section>
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
  const { tool, createdAt, probeModel, runtime } = report;
  return markup`<footer><p class="note">rope-eval ${tool.version}, ${createdAt}; ${words.settingsUsedWords(report)} Probe model ${probeModel.name}, weights ${probeModel.weightsSha256.slice(0, 12)}; onnxruntime ${runtime.onnxruntime}, Node ${runtime.node}, ${runtime.platform}.</p></footer>`;
}
