import { fail, show } from '../fail.js';
import { Fields } from '../fields.js';
import { isRecord } from '../json.js';
import type { Source } from '../source.js';
import { perLayer } from './per-layer.js';
import type { Dialect } from './types.js';

/**
 * Step 3.5: theta and partial factor are lists with one entry per layer. All layers of a type agree,
 * so the lists become one block per type.
 */
export const listedPerLayer: Dialect = Object.freeze({
  name: 'theta and partial factor listed per layer',
  modelTypes: ['step3p5'],
  writes: 'per-layer',
  read: (source: Source) => readNested({ ...source, fields: unfold(source) }),
});

const readNested = perLayer(
  {
    scalingReaches: ['full_attention'],
    thetaKeys: { full_attention: 'rope_theta', sliding_attention: 'rope_theta' },
    outerPartial: false,
  },
  { usesPartial: true },
);

/** The same config with `rope_parameters` per layer type in place of the lists. */
function unfold(source: Source): Fields {
  const { fields } = source;
  const types = fields.nullableList('layer_types') ?? [];
  const theta = fields.raw('rope_theta');
  const partial = fields.nullableList('partial_rotary_factors');
  if (!Array.isArray(theta) && partial === undefined) return fields;
  const blocks: Record<string, Record<string, unknown>> = {};
  types.forEach((type, layer) => {
    if (typeof type !== 'string' || Object.hasOwn(blocks, type)) return;
    const base: unknown = Array.isArray(theta) ? theta[layer] : theta;
    const share = partial?.[layer];
    if (base !== undefined && typeof base !== 'number') {
      fail(
        'wrong_type',
        fields.at(`rope_theta[${layer}]`),
        `must be a number, found ${show(base)}`,
      );
    }
    blocks[type] = {
      rope_type: 'default',
      ...(base !== undefined && { rope_theta: base }),
      ...(share !== undefined && { partial_rotary_factor: share }),
    };
  });
  const own = fields.raw('rope_parameters');
  const rest = Object.fromEntries(
    Object.entries(fields.record).filter(([key]) => key !== 'rope_theta'),
  );
  return new Fields(
    { ...rest, rope_parameters: { ...blocks, ...(isRecord(own) ? own : {}) } },
    fields.path,
  );
}
