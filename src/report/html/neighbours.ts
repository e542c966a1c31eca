import {
  NEIGHBOURS_HEAD,
  NEIGHBOURS_TITLE,
  neighbourRows,
  neighboursNote,
} from '../neighbour-words.js';
import type { Report } from '../schema.js';
import { markup, type Markup } from './template.js';

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
