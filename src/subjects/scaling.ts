import { computeRope, lengthDependent, type RopeSpec } from '../rope/registry.js';
import { type RopeTable } from '../rope/spec.js';
import type { GroupScaling, TrainedGroup } from './subject.js';

/** A scaling of one layer group, which computes each of its tables once. */
export function scaleGroup(
  trained: TrainedGroup,
  spec: RopeSpec,
  softmaxScaleRatio = 1,
): GroupScaling {
  const tables = new Map<number, RopeTable>();
  const follows = lengthDependent(spec);
  return {
    trained,
    spec,
    softmaxScaleRatio,
    tableAt(tokens) {
      const length = follows ? tokens : trained.window;
      let table = tables.get(length);
      if (!table) tables.set(length, (table = computeRope(spec, length)));
      return table;
    },
  };
}

/** A group as its weights know it. */
export function trainedGroup(group: Omit<TrainedGroup, 'referenceTable'>): TrainedGroup {
  return { ...group, referenceTable: computeRope(group.reference, group.window) };
}
