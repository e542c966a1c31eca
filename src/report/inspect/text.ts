import { multiple, printable, tokens } from '../format.js';
import { decayChart, type PlotRole, type PlotStyle, spectrumChart } from '../plots/terminal.js';
import type { InspectData } from '../schema/inspect.js';
import { findingLines } from '../sections/findings.js';
import { fill } from '../terminal.js';
import * as scalings from './sentences.js';
import { lengthSentences, modelSentences, referenceSentences } from './sentences.js';
import * as tables from './tables.js';
import { paint as paintFor } from '../paint.js';

export interface InspectTextOptions {
  /** Characters. */
  readonly columns: number;
  readonly color: boolean;
  readonly plots: boolean;
  /** The evidence behind a row of the reference table, in words; default: its key. */
  readonly evidenceWords?: (evidence: string) => string;
}

/** `rope-eval inspect` for a person at a terminal: sentences first, then numbers. */
export function renderInspect(data: InspectData, options: InspectTextOptions): string {
  const { columns, color, evidenceWords = (evidence: string) => evidence } = options;
  const paint = paintFor(color);
  const paragraphs = (lines: readonly string[]): string =>
    lines.map((line) => fill(printable(line), columns, '')).join('\n');
  const section = (heading: string, body: readonly string[]): string => {
    const filled = body.filter((part) => part !== '');
    return filled.length === 0 ? '' : [paint.bold(heading), ...filled].join('\n');
  };
  const blocks = [
    title(data, options),
    data.encoding === 'rope' ? '' : 'This model does not use RoPE, so no RoPE scaling applies.',
    section('What it does with positions', [paragraphs(modelSentences(data))]),
    section('The tables at the length asked for', [paragraphs(lengthSentences(data))]),
    section('What the weights know', [paragraphs(referenceSentences(data, evidenceWords))]),
    ...geometryBlocks(data, options, section, paragraphs),
    data.cost === null
      ? ''
      : section('What the length costs, for one sequence', [
          tables.costTable(data.cost),
          paragraphs([tables.costNote(data.cost)]),
        ]),
    section(
      'Findings',
      findingLines(data.findings).map(({ severity, code, message }) =>
        fill(`${severity} ${code} ${message}`, columns, '  '),
      ),
    ),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

/** What was read, and from which file; on two lines where one is too short. */
function title(data: InspectData, { columns, color }: InspectTextOptions): string {
  const paint = paintFor(color);
  const type = printable(data.modelType);
  const name = printable(data.architecture ?? data.modelType);
  const model = name === type ? paint.bold(name) : `${paint.bold(name)}  ${type}`;
  if (data.source === null) return model;
  const source = printable(data.source);
  const fits = name.length + type.length + source.length + 4 <= columns;
  return `${model}${fits ? '  ' : '\n'}${source}`;
}

function geometryBlocks(
  data: InspectData,
  { columns, color, plots }: InspectTextOptions,
  section: (heading: string, body: readonly string[]) => string,
  paragraphs: (lines: readonly string[]) => string,
): string[] {
  const { geometry } = data;
  const first = geometry?.groups[0];
  if (geometry === null || first === undefined) return [];
  // A local layer that no scaling reaches has nothing to compare.
  const told = geometry.groups.filter(
    (group) => group.span.kind === 'global' || group.candidates.some(({ changed }) => changed),
  );
  const options = { width: columns, style: plotStyle(color) };
  return [
    section(
      `At ${tokens(geometry.target)} tokens, ${multiple(geometry.target / geometry.trainedWindow)} the trained window`,
      [
        ...told.map((group) => {
          const title = geometry.groups.length > 1 ? `${group.layerType}\n` : '';
          return `${title}${tables.scalingTable(group)}`;
        }),
        told.length === 0 ? '' : paragraphs([scalings.tableNote(geometry)]),
        paragraphs([...scalings.boundSentences(data), ...scalings.warningSentences(data)]),
      ],
    ),
    section('What rounding does to the scores', [
      tables.driftTable(first),
      paragraphs([scalings.DRIFT]),
    ]),
    ...(plots ? told : []).flatMap((group) => {
      const drawn = [
        { label: 'reference', ...group.reference },
        ...group.candidates.filter(({ changed }) => changed),
      ];
      const turns = drawn.map(({ label, rotationsTrained }) => ({
        label: printable(label),
        rotations: rotationsTrained,
      }));
      const decay = drawn.map(({ label, decay }) => ({ label: printable(label), points: decay }));
      const { layerType, trainedRange, targetRange } = group;
      return [
        section(
          `Turns of each pair: ${layerType}`,
          spectrumChart({ series: turns, trainedRange, targetRange, ...options }),
        ),
        section(
          `Mean cosine against distance: ${layerType}`,
          decayChart({ series: decay, trainedRange, ...options }),
        ),
      ];
    }),
  ];
}

function plotStyle(color: boolean): PlotStyle {
  const paint = paintFor(color);
  const colors: Readonly<Record<PlotRole, (text: string) => string>> = {
    axis: paint.dim,
    reference: paint.bold,
    candidate: paint.cyan,
    trained: paint.green,
    target: paint.yellow,
    text: (text) => text,
  };
  return (text, role) => colors[role](text);
}
