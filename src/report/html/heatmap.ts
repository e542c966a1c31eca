import { percent, printable, tokens, trim } from '../format.js';
import type { CandidateReport } from '../schema.js';
import { heatmapOf } from '../view.js';
import { HEAT } from './style.js';
import { markup, type Markup } from './template.js';

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
