import * as format from '../format.js';
import { printable } from '../format.js';
import type { CandidateReport, Report } from '../schema/report.js';
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
import { featured, heatmapOf, rungAt, summaryLengths } from '../view.js';
import type { GateOutcome, Reporter } from './form.js';

/** Text that Markdown, HTML and GitHub's mentions leave alone. */
export function plain(text: string): string {
  return (
    printable(text)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll(/[\\`*_[\]|~]/g, '\\$&')
      // A zero-width joiner keeps a name in a config from calling a person.
      .replaceAll('@', '@\u200d')
  );
}

/** A code span, also in a table's cell; backticks and bars in it would end it. */
export function code(text: string): string {
  return `\`${printable(text).replaceAll('`', 'ˋ').replaceAll('|', '\\|')}\``;
}

/** A GitHub table; the first column to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, i) => (i === 0 ? ':--' : '--:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Forms of dynamic scalings, the switch of longrope, the offset; '' where none was measured. */
export function servingMarkdown(report: Report): string {
  const blocks = servingTables(report).map(({ title, head, rows, note }) => {
    const cells = rows.map((row) =>
      row.map(([value, interval]) => plain(value) + (interval ? ` [${interval}]` : '')),
    );
    const drawn = `#### ${plain(title)}\n\n${table(head.map(plain), cells)}`;
    return note === '' ? drawn : `${drawn}\n\n${plain(note)}`;
  });
  return [...blocks, plain(offsetWords(report))].filter((block) => block !== '').join('\n\n');
}

/** The range over the neighbouring probe models; '' where they were not run. */
export function neighboursMarkdown(report: Report): string {
  const rows = neighbourRows(report).map((cells) => cells.map(plain));
  if (rows.length === 0) return '';
  const drawn = table(NEIGHBOURS_HEAD, rows);
  return `#### ${NEIGHBOURS_TITLE}\n\n${drawn}\n\n${plain(neighboursNote(report))}`;
}

const NOT_MEASURED = '–';

/** GitHub Markdown: for pull requests, job summaries and issues. */
export const markdown: Reporter = (report, { gate, plots }) => {
  const blocks = [
    title(report),
    words.statusWords(report.status),
    gate ? gateBlock(gate) : '',
    `**${plain(recommendationWords(report))}**`,
    ...words.settingsWords(report).map(settingsBlock),
    findingsBlock(report),
    '### Probed: on the bundled probe model',
    summaryTable(report),
    'Short context: change against the reference at 0.5x and 1x of the trained window. Needle: ' +
      `facts found. ${words.chanceWords(report)} In brackets: 95 % intervals.`,
    plain(scoreWords(report)),
    ...words.localWords(report).map(plain),
    neighboursMarkdown(report),
    partsBlock(report),
    servingMarkdown(report),
    plots ? heatmapBlock(report) : '',
    '### Exact: from the config alone',
    exactLines(report)
      .map((line) => `- ${plain(line)}`)
      .join('\n'),
    '### How to read this',
    [...words.referenceWords(report), words.probeModelWords(report), words.HONESTY]
      .map((line) => `- ${plain(line)}`)
      .join('\n'),
    footer(report),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
};

function title({ config, reference, target }: Report): string {
  const model = plain(config.architecture ?? config.modelType);
  return (
    `## ${model}: RoPE scalings to ${format.tokens(target.tokens)} tokens\n\n` +
    `${code(config.source)}, trained on ${format.tokens(reference.trainedWindow)} tokens, ` +
    `${format.multiple(target.multiple)} wanted.`
  );
}

function gateBlock({ verdict, rules }: GateOutcome): string {
  const head = ['Rule', 'Candidate', 'Level', 'Status', 'Found'];
  const rows = rules.map(({ rule, candidate, level, status, message }) => [
    code(rule),
    code(candidate),
    level,
    status,
    plain(message),
  ]);
  return `### Gate: ${verdict}\n\n${table(head, rows)}`;
}

function settingsBlock(block: string): string {
  const [first = '', ...rest] = block.split('\n');
  if (rest.length === 0) return plain(first);
  return `${first}\n\n\`\`\`json\n${rest.join('\n')}\n\`\`\``;
}

function findingsBlock(report: Report): string {
  return findingLines(report.findings)
    .map((line) => `- **${line.severity}** ${code(line.code)} ${plain(line.message)}`)
    .join('\n');
}

function summaryTable(report: Report): string {
  const lengths = summaryLengths(report);
  const target = report.target.tokens;
  const head = [
    'Candidate',
    'Short accuracy, points',
    'Short loss, nats',
    ...lengths.map((length) => `Needle ${format.shortTokens(length)}`),
    'Reach, tokens',
    `Loss at ${format.shortTokens(target)}, nats`,
    'Verdict',
  ];
  const rows = report.candidates.map((candidate) => {
    const { label, role, short, reach, verdict } = candidate;
    const rung = rungAt(candidate, target);
    const best = label === report.recommendation.candidate;
    return [
      best ? `**${code(label)}**` : code(label),
      ...(role === 'reference' ? ['0', '0'] : shortCells(short)),
      ...lengths.map((length) => needleCell(candidate, length)),
      reach ? `${format.reachTokens(reach)} [${format.reachEnds(reach)}]` : NOT_MEASURED,
      rung ? format.signed(rung.lossChange.value, 2) : NOT_MEASURED,
      words.verdictWords(verdict),
    ];
  });
  return table(head, rows);
}

function shortCells(short: CandidateReport['short']): readonly string[] {
  if (!short) return [NOT_MEASURED, NOT_MEASURED];
  const { accuracyChange, lossChange } = short;
  return [
    `${format.signed(accuracyChange.value * 100, 1)} [${format.ends(accuracyChange, 1, 100)}]`,
    `${format.nats(lossChange.value)} [${format.ends(lossChange, 3)}]`,
  ];
}

function needleCell(candidate: CandidateReport, length: number): string {
  const rung = rungAt(candidate, length);
  return rung ? format.percent(rung.accuracy.value) : NOT_MEASURED;
}

function partsBlock(report: Report): string {
  const rows = partsRows(report).map(({ candidate, parts }) => [
    code(candidate.label),
    ...PARTS_COLUMNS.map(([key]) => `${partValue(parts[key])} [${partEnds(parts[key])}]`),
  ]);
  if (rows.length === 0) return '';
  const head = ['Candidate', ...PARTS_COLUMNS.map(([, name]) => name)];
  return `#### ${partsTitle(report)}\n\n${table(head, rows)}\n\n${plain(partsNote(report))}`;
}

function heatmapBlock(report: Report): string {
  const candidate = featured(report);
  const heatmap = candidate && heatmapOf(candidate);
  if (!candidate || !heatmap) return '';
  const head = ['Tokens', ...heatmap.bins.map(({ to }) => `≤ ${format.trim(to, 2)}`)];
  const rows = heatmap.rows.map(({ rung, cells }) => [
    format.tokens(rung.tokens),
    ...cells.map((cell) => (cell === null ? NOT_MEASURED : format.percent(cell))),
  ]);
  return (
    `<details><summary>Facts found by length and distance (a share of the length): ` +
    `${plain(candidate.label)}</summary>\n\n${table(head, rows)}\n\n</details>`
  );
}

function footer(report: Report): string {
  const { tool, subject, runtime } = report;
  return (
    `<sub>rope-eval ${tool.version}, ${words.settingsUsedWords(report)} ` +
    `Probe model ${plain(subject.name)}, onnxruntime ${plain(runtime.onnxruntime ?? 'not used')}.</sub>`
  );
}
