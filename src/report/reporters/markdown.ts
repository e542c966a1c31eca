import { findingLines } from '../finding-words.js';
import * as format from '../format.js';
import type { GateOutcome } from '../gate-outcome.js';
import { neighboursMarkdown } from '../markdown/neighbours.js';
import { code, plain, table } from '../markdown/parts.js';
import { servingMarkdown } from '../markdown/serving.js';
import {
  partEnds,
  PARTS_COLUMNS,
  partsNote,
  partsRows,
  partsTitle,
  partValue,
} from '../parts-words.js';
import type { CandidateReport, Report } from '../schema.js';
import { exactLines } from '../text/exact.js';
import { featured, heatmapOf, rungAt, summaryLengths } from '../view.js';
import { scoreWords } from '../score-words.js';
import { recommendationWords } from '../recommendation-words.js';
import * as words from '../wording.js';
import type { Reporter } from './reporter.js';

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
  const { tool, probeModel, runtime } = report;
  return (
    `<sub>rope-eval ${tool.version}, ${words.settingsUsedWords(report)} ` +
    `Probe model ${plain(probeModel.name)}, onnxruntime ${plain(runtime.onnxruntime)}.</sub>`
  );
}
