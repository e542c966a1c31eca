import type { ProbeGeometry } from '../../src/geometry/transfer.js';
import { languageTexts } from '../../src/probes/contexts.js';
import type { RopeSpec } from '../../src/rope/registry.js';
import type { Member } from '../../src/subjects/bundled/family.js';
import {
  BundledSubject,
  type Rotation,
  type TablesByIndex,
} from '../../src/subjects/bundled/subject.js';
import {
  type GroupScaling,
  scaleGroup,
  type Scaling,
  trainedGroup,
} from '../../src/subjects/subject.js';
import { language } from './language.js';

/** Makes a probe model with one layer group, which is never opened. */
export function subjectOf(geometry: ProbeGeometry): BundledSubject {
  const member = { name: 'none', window: geometry.window } as Member;
  const probe = { member, inRange: true, geometry };
  return new BundledSubject(probe, languageTexts(language), 1, { device: 'cpu', threads: 1 });
}

/** @param window the trained window, in tokens */
export function groupScaling(
  reference: RopeSpec,
  candidate: RopeSpec,
  window: number,
): GroupScaling {
  const group = { layerType: 'full_attention', local: false, window, reference };
  return scaleGroup(trainedGroup(group), candidate);
}

export function scalingOf(reference: RopeSpec, candidate: RopeSpec, window: number): Scaling {
  return { label: candidate.type, groups: [groupScaling(reference, candidate, window)] };
}

/** (multiples) tables of a scaling at lengths in windows. */
export function tablesAt(subject: BundledSubject, scaling: Scaling, multiples: readonly number[]) {
  const { window } = scaling.groups[0]!.trained;
  return multiples.map((m) => subject.table(scaling, { group: 0, tokens: Math.round(m * window) }));
}

/** The rotation of a scaling in a cache, up to a number of the subject's tokens. */
export function cachedUpTo(subject: BundledSubject, scaling: Scaling, indices: number): Rotation {
  const { window } = scaling.groups[0]!.trained;
  const tokens = (index: number): number => Math.round(((index + 1) / subject.window) * window);
  const at = { group: 0, tokens: tokens(indices - 1), windows: indices / subject.window };
  return subject.treat(scaling, { ...at, writtenAt: { indices, tokens } }).rotation;
}

export function byIndexOf(rotation: Rotation): TablesByIndex['byIndex'] {
  if (!('byIndex' in rotation)) throw new Error('one table for all lengths');
  return rotation.byIndex;
}
