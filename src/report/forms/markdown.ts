import { percent, printable, tokens, trim } from '../format.js';
import { reportSections } from '../sections/index.js';
import {
  sectionsToDraw,
  type Block,
  type Column,
  type HeatmapBlock,
  type Row,
  type Section,
  type TableBlock,
  type TableCell,
} from '../sections/section.js';
import type { Reporter } from './form.js';

/** Draws a report as GitHub Markdown, for pull requests, job summaries and issues. */
export const markdown: Reporter = (report, { gate, plots }) =>
  markdownOf(reportSections(report, gate), { plots });

/** Draws any document as GitHub Markdown. */
export function markdownOf(
  sections: readonly Section[],
  { plots }: { readonly plots: boolean },
): string {
  const blocks = sectionsToDraw(sections, plots, ['intervals', 'turns', 'plot']).flatMap(
    ({ title, depth = 2, blocks }) => {
      const drawn = blocks.map(drawBlock).filter((block) => block !== '');
      if (drawn.length === 0 && depth > 1) return [];
      return title === undefined ? drawn : [`${'#'.repeat(depth + 1)} ${plain(title)}`, ...drawn];
    },
  );
  return `${blocks.join('\n\n')}\n`;
}

/** Escapes text so that neither Markdown, HTML nor GitHub's mentions interpret it. */
export function plain(text: string): string {
  return (
    printable(text)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll(/[\\`*_[\]|~]/g, '\\$&')
      // A zero-width joiner prevents a name in a config from mentioning a GitHub user.
      .replaceAll('@', '@\u200d')
  );
}

/** Makes a code span that works in tables. Backticks and bars are replaced, or would end it. */
function code(text: string): string {
  return `\`${printable(text).replaceAll('`', 'ˋ').replaceAll('|', '\\|')}\``;
}

/** Draws a block; '' if Markdown cannot show it. */
function drawBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      if (block.tone === 'strong') return `**${plain(block.text)}**`;
      return plain(block.text);
    case 'list':
      return bullets(block.items.map(plain));
    case 'marks':
      return bullets(
        block.lines.map(({ mark, code: name, text, more }) =>
          [`**${mark}**`, name && code(name), plain(text), more && plain(more)]
            .filter((part) => part)
            .join(' '),
        ),
      );
    case 'code':
      return `${block.lead === undefined ? '' : `${plain(block.lead)}\n\n`}\`\`\`${block.language}\n${block.text.replaceAll('`', 'ˋ')}\n\`\`\``;
    case 'table':
      return drawTable(block);
    case 'heatmap':
      return block.featured ? drawHeatmap(block) : '';
    case 'intervals':
    case 'turns':
    case 'plot':
      return '';
  }
}

function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

function drawTable({ columns, rows }: TableBlock): string {
  const head = columns.map(({ title }) => plain(title));
  const rule = columns.map(({ align }) => (align === 'left' ? ':--' : '--:'));
  const body = rows.map((row) => columns.map((column, i) => cellText(row.cells[i], column, row)));
  return gridOf([head, rule, ...body]);
}

function cellText(cell: TableCell | undefined, { roomy }: Column, { marked }: Row): string {
  if (cell === undefined) return '';
  const { text, detail, name } = cell;
  if (name) return marked ? `**${code(text)}**` : code(text);
  return plain(text) + (!roomy && detail !== undefined ? ` [${detail}]` : '');
}

function gridOf(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function drawHeatmap({ label, heatmap }: HeatmapBlock): string {
  const head = ['Tokens', ...heatmap.bins.map(({ to }) => `≤ ${trim(to, 2)}`)];
  const rows = heatmap.rows.map(({ rung, cells }) => [
    tokens(rung.tokens),
    ...cells.map((cell) => (cell === null ? '–' : percent(cell))),
  ]);
  const rule = head.map((_, i) => (i === 0 ? ':--' : '--:'));
  return (
    `<details><summary>Facts found by length and distance (a share of the length): ` +
    `${plain(label)}</summary>\n\n${gridOf([head, rule, ...rows])}\n\n</details>`
  );
}
