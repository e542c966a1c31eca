import type { UnknownRecord } from '../config/json.js';
import type { ModelGeometry, Reference } from '../config/types.js';
import type { RopeSpec } from '../rope/types.js';
import type { EmitInput } from './types.js';

/**
 * What the emitters need of a candidate on a model.
 *
 * @param specs (groups) its rotary tables
 * @returns undefined where no layer of the model rotates
 */
export function emitInputOf(
  label: string,
  model: ModelGeometry,
  reference: Pick<Reference, 'kind' | 'trainedWindow'>,
  specs: readonly RopeSpec[],
  raw: UnknownRecord,
  length: number,
): EmitInput | undefined {
  const [first, ...rest] = model.groups.flatMap((group, index) => {
    const rope = specs[index];
    return rope ? [{ layerType: group.layerType, span: group.span, rope }] : [];
  });
  return first && { label, geometry: model, reference, groups: [first, ...rest], raw, length };
}
