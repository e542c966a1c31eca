import type { CandidateReport } from '../report/schema.js';
import { computeRope } from '../rope/index.js';
import type { GroupScaling } from './tables.js';

/**
 * What a scaling does to a group of layers, as the report has it.
 *
 * @param tokens length of the context: a scaling may depend on it
 */
export function describeGroup(
  s: GroupScaling,
  layerType: string,
  tokens: number,
): CandidateReport['groups'][number] {
  const reference = computeRope(s.reference, s.window);
  const candidate = computeRope(s.candidate, tokens);
  const stretches = Array.from(reference.invFreq, (from, i) => {
    const to = candidate.invFreq[i]!;
    return from > 0 && to > 0 ? from / to : 1; // a pair that stands still is not stretched
  });
  const attentionScaling = candidate.attentionScaling / reference.attentionScaling;
  return {
    layerType,
    ropeType: s.candidate.type,
    attentionScaling,
    maxStretch: Math.max(0, ...stretches),
    changed:
      attentionScaling * Math.sqrt(s.softmaxScaleRatio) !== 1 || stretches.some((x) => x !== 1),
  };
}
