import { multiple, printable, tokens } from '../format.js';
import { decayChart, spectrumChart } from '../plots/terminal.js';
import type { InspectData } from '../schema/inspect.js';
import { findingLines } from '../sections/findings.js';
import { paragraphs, type Section } from '../sections/section.js';
import * as sentences from './sentences.js';
import * as tables from './tables.js';

export interface InspectWords {
  /** The evidence behind a row of the reference table, in words; default: its key. */
  readonly evidenceWords?: (evidence: string) => string;
}

/** `rope-eval inspect` for a person: sentences first, then numbers. */
export function inspectSections(data: InspectData, words: InspectWords = {}): readonly Section[] {
  const { evidenceWords = (evidence: string) => evidence } = words;
  return [
    headSection(data),
    prose('positions', 'What it does with positions', sentences.modelSentences(data)),
    prose('tables', 'The tables at the length asked for', sentences.lengthSentences(data)),
    prose('weights', 'What the weights know', sentences.referenceSentences(data, evidenceWords)),
    ...geometrySections(data),
    ...costSections(data),
    {
      id: 'findings',
      title: 'Findings',
      depth: 2,
      blocks: [{ kind: 'marks', lines: findingLines(data.findings) }],
    },
  ];
}

function prose(id: string, title: string, lines: readonly string[]): Section {
  return { id, title, depth: 2, blocks: paragraphs(lines) };
}

/** What was read, and from which file. */
function headSection({ modelType, architecture, source, encoding }: InspectData): Section {
  const name = architecture ?? modelType;
  return {
    id: 'model',
    title: name === modelType ? name : `${name} (${modelType})`,
    depth: 1,
    blocks: paragraphs([
      source ?? '',
      encoding === 'rope' ? '' : 'This model does not use RoPE, so no RoPE scaling applies.',
    ]),
  };
}

function geometrySections(data: InspectData): readonly Section[] {
  const { geometry } = data;
  const first = geometry?.groups[0];
  if (geometry === null || first === undefined) return [];
  // A local layer that no scaling reaches has nothing to compare.
  const told = geometry.groups.filter(
    (group) => group.span.kind === 'global' || group.candidates.some(({ changed }) => changed),
  );
  const several = geometry.groups.length > 1;
  return [
    {
      id: 'target',
      title: `At ${tokens(geometry.target)} tokens, ${multiple(geometry.target / geometry.trainedWindow)} the trained window`,
      depth: 2,
      blocks: [
        ...told.flatMap((group) => [
          ...paragraphs(several ? [group.layerType] : []),
          tables.scalingTable(group),
        ]),
        ...paragraphs([
          told.length === 0 ? '' : sentences.tableNote(geometry),
          ...sentences.boundSentences(data),
          ...sentences.warningSentences(data),
        ]),
      ],
    },
    {
      id: 'rounding',
      title: 'What rounding does to the scores',
      depth: 2,
      blocks: [tables.driftTable(first), ...paragraphs([sentences.DRIFT])],
    },
    ...told.flatMap(pictures),
  ];
}

/** Turns of each pair and the mean cosine by distance, of one layer type. */
function pictures(
  group: NonNullable<InspectData['geometry']>['groups'][number],
): readonly Section[] {
  const { layerType, trainedRange, targetRange } = group;
  const drawn = [
    { label: 'reference', ...group.reference },
    ...group.candidates.filter(({ changed }) => changed),
  ].map(({ label, ...table }) => ({ label: printable(label), ...table }));
  const turns = drawn.map(({ label, rotationsTrained }) => ({
    label,
    rotations: rotationsTrained,
  }));
  const curves = drawn.map(({ label, decay }) => ({ label, points: decay }));
  return [
    {
      id: `turns-${layerType}`,
      title: `Turns of each pair: ${layerType}`,
      depth: 2,
      blocks: [
        {
          kind: 'plot',
          draw: (width, style) =>
            spectrumChart({ series: turns, trainedRange, targetRange, width, style }),
        },
      ],
    },
    {
      id: `decay-${layerType}`,
      title: `Mean cosine against distance: ${layerType}`,
      depth: 2,
      blocks: [
        {
          kind: 'plot',
          draw: (width, style) => decayChart({ series: curves, trainedRange, width, style }),
        },
      ],
    },
  ];
}

function costSections({ cost }: InspectData): readonly Section[] {
  if (cost === null) return [];
  return [
    {
      id: 'cost',
      title: 'What the length costs, for one sequence',
      depth: 2,
      blocks: [tables.costTable(cost), ...paragraphs([tables.costNote(cost)])],
    },
  ];
}
