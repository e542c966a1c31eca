import type { ModelGeometry } from '../config/types.js';
import { finding } from '../finding-catalogue/index.js';
import type { Finding } from '../findings.js';
import { effectiveTheta } from '../rope/ntk.js';
import type { RopeSpec } from '../rope/types.js';
import type { CandidateDefinition } from './types.js';

/**
 * What a user should know before believing the row.
 *
 * @param trained (groups) what the weights were trained with
 * @param specs (groups) the candidate
 */
export function reportCandidate(
  definition: CandidateDefinition,
  model: ModelGeometry,
  trained: readonly RopeSpec[],
  specs: readonly RopeSpec[],
): readonly Finding[] {
  return model.groups.flatMap((group, index) => {
    const spec = specs[index];
    const own = trained[index];
    if (spec === undefined || own === undefined) return [];
    const found: Finding[] = [];
    if (losesScaling(spec, own)) {
      found.push(
        finding('trained_scaling_discarded', group.layerType, {
          candidate: definition.label,
          trained: own.type,
        }),
      );
    }
    const stretches = JSON.stringify(spec) !== JSON.stringify(own);
    if (group.span.kind !== 'global' && stretches && definition.method !== 'as-configured') {
      found.push(
        finding('candidate_reaches_local_layers', group.layerType, {
          candidate: definition.label,
          layers: group.layers.length,
          span: group.span.kind === 'chunked' ? 'chunked' : 'sliding-window',
          window: group.span.window,
        }),
      );
    }
    return found;
  });
}

/** Whether nothing of the trained-in scaling is left; a static NTK-aware one lives on as a theta. */
function losesScaling(spec: RopeSpec, trained: RopeSpec): boolean {
  if (trained.type === 'default' || spec.type === trained.type) return false;
  return trained.type !== 'ntk' || spec.theta !== effectiveTheta(trained);
}
