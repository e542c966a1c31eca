import type { Report } from '../schema.js';
import { offsetWords, servingTables } from '../serving-words.js';
import { markup, type Markup } from './template.js';

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
