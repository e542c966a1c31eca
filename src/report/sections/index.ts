import { multiple, printable, tokens } from '../format.js';
import type { GateOutcome } from '../forms/form.js';
import { probeSections } from '../probe-parts/registry.js';
import type { Report } from '../schema/report.js';
import { assumptionsSection, conditionsSection } from './conditions.js';
import { exactSection } from './exact.js';
import { findingsSection } from './findings.js';
import { gateSection } from './gate.js';
import { pictureSections } from './pictures.js';
import type { Section } from './section.js';
import { summarySection } from './summary.js';
import { neighboursSection, tiersSection } from './tiers.js';
import { verdictSection } from './verdict.js';

/** Converts a report to sections, in the order that every form keeps: the advice comes first. */
export function reportSections(report: Report, gate?: GateOutcome): readonly Section[] {
  return [
    headSection(report),
    ...(gate ? [gateSection(gate)] : []),
    verdictSection(report),
    findingsSection(report.findings),
    summarySection(report),
    tiersSection(report),
    neighboursSection(report),
    ...probeSections(report.candidates, report),
    ...pictureSections(report),
    exactSection(report),
    assumptionsSection(report),
    conditionsSection(report),
  ];
}

function headSection({ config, reference, target }: Report): Section {
  const model = printable(config.architecture ?? config.modelType);
  return {
    id: 'head',
    title: `${model}: RoPE scalings to ${tokens(target.tokens)} tokens`,
    depth: 1,
    blocks: [
      {
        kind: 'text',
        text:
          `${printable(config.source)}, trained on ${tokens(reference.trainedWindow)} tokens, ` +
          `${multiple(target.multiple)} wanted.`,
      },
    ],
  };
}
