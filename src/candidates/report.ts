import { referenceRope } from '../config/reference.js';
import type { LayerGroup, ModelGeometry, Reference } from '../config/types.js';
import { finding } from '../finding-catalogue/index.js';
import type { Finding } from '../findings.js';
import { rotaryShare } from '../config/rotary-share.js';
import { computeRope } from '../rope/index.js';
import type { RopeSpec } from '../rope/types.js';
import type { CandidateDefinition } from './types.js';

/** Attention scalings closer than this are one. */
const SAME = 1e-9;

/** What a user should know before believing the row. */
export function reportCandidate(
  definition: CandidateDefinition,
  model: ModelGeometry,
  reference: Reference,
  specs: readonly RopeSpec[],
): readonly Finding[] {
  return model.groups.flatMap((group, index) => {
    const spec = specs[index];
    const trained = referenceRope(group, reference);
    if (spec === undefined) return [];
    const found: Finding[] = [];
    if (trained.type !== 'default' && spec.type !== trained.type) {
      found.push(
        finding('trained_scaling_discarded', group.layerType, {
          candidate: definition.label,
          trained: trained.type,
        }),
      );
    }
    const stretches = JSON.stringify(spec) !== JSON.stringify(trained);
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
    const part = scaledPart(model, group, trained, spec);
    if (part) {
      found.push(
        finding('attention_scaling_on_part', group.layerType, {
          candidate: definition.label,
          ...part,
        }),
      );
    }
    return found;
  });
}

/** Where an attention scaling multiplies a part of each head: how much of it, and by what. */
function scaledPart(
  model: ModelGeometry,
  group: LayerGroup,
  trained: RopeSpec,
  spec: RopeSpec,
): { readonly percent: number; readonly scaling: number } | undefined {
  const table = computeRope(spec);
  const scaling = table.attentionScaling / computeRope(trained).attentionScaling;
  const share = rotaryShare(model, group, table.invFreq);
  if (share === 1 || Math.abs(scaling - 1) < SAME) return undefined;
  return { percent: Math.round(100 * share), scaling: Number(scaling.toFixed(4)) };
}
