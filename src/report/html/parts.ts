import { printable } from '../format.js';
import {
  partEnds,
  PARTS_COLUMNS,
  partsNote,
  partsRows,
  partsTitle,
  partValue,
} from '../parts-words.js';
import type { Report } from '../schema.js';
import { markup, type Markup } from './template.js';

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
