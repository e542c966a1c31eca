import { referenceSoftmaxScale, referenceSpecs } from '../model/reference.js';
import type { ModelGeometry, Reference } from '../model/types.js';
import { keepsItsKind, type FactorMethod } from '../rope/registry.js';
import type { CandidateDefinition } from './definition.js';

/**
 * The candidates to compare where the user names none; the reference is a row of its own.
 *
 * What the config says comes first if that is not the reference, then the published scalings at the
 * target's multiple. `dynamic:1` is the published dynamic NTK, alpha = length / window; a larger
 * factor stretches beyond the length at hand. Raising theta by hand is `ntk` under another name,
 * and is left out. At most 8.
 *
 * @param multiple target length / trained window
 * @param before the config from before a change, which the reference was taken from
 */
export function defaultCandidates(
  multiple: number,
  model: ModelGeometry,
  reference: Reference,
  before: ModelGeometry = model,
): CandidateDefinition[] {
  const found: CandidateDefinition[] = [];
  const trained = JSON.stringify(referenceSpecs(model, before, reference));
  const written = JSON.stringify(model.groups.map(({ rope }) => rope));
  const plain = JSON.stringify(referenceSpecs(model, before, { kind: 'unscaled' }));
  if (written !== trained || model.softmaxScale !== referenceSoftmaxScale(before, reference)) {
    found.push({ label: 'as-configured', method: 'as-configured' });
  }
  if (plain !== trained) found.push({ label: 'none', method: 'none' });
  if (!(multiple > 1)) return found;
  const factor = roundUp(multiple);
  const fixedKind = model.groups.some((group) => keepsItsKind(group.rope));
  const methods: readonly FactorMethod[] = fixedKind
    ? ['linear']
    : ['yarn', 'by-parts', 'llama3', 'ntk', 'linear'];
  found.push(...methods.map((method) => withFactor(method, factor)));
  if (!fixedKind) found.push(withFactor('dynamic', 1));
  return found;
}

function withFactor(method: FactorMethod, factor: number): CandidateDefinition {
  return { label: `${method}:${factor}`, method, factor, params: Object.freeze({}) };
}

/** Two decimals, upwards: the factor must cover the target. */
function roundUp(value: number): number {
  return Math.ceil(value * 100 - 1e-9) / 100;
}
