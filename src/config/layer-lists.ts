import { BOUNDS } from './bounds.js';
import { fail, show } from './fail.js';
import type { Fields } from './fields.js';

/** A key that lists the indices of the layers of one type. */
interface IndexList {
  readonly key: string;
  readonly listed: string;
  readonly others: string;
}

/** transformers `BambaConfig`, `Lfm2Config` and `MllamaTextConfig`, in this order. */
const INDEX_LISTS: readonly IndexList[] = Object.freeze([
  { key: 'attn_layer_indices', listed: 'full_attention', others: 'linear_attention' },
  { key: 'full_attn_idxs', listed: 'full_attention', others: 'conv' },
  { key: 'cross_attention_layers', listed: 'cross_attention', others: 'full_attention' },
]);

/**
 * The type of each layer where a config lists the indices of one type.
 *
 * @returns one entry per layer; undefined for a config without such a list
 * @throws RopeEvalError `wrong_type` for an entry that is no index
 */
export function indexedLayerTypes(fields: Fields, layers: number): readonly string[] | undefined {
  const list = INDEX_LISTS.find(({ key }) => fields.given(key));
  if (list === undefined) return undefined;
  const named = new Set(
    fields.nullableList(list.key)?.map((value, index) => {
      if (typeof value === 'number' && Number.isInteger(value)) {
        if (value >= 0 && value < BOUNDS.layers) return value;
      }
      fail(
        'wrong_type',
        fields.at(`${list.key}[${index}]`),
        `must be the index of a layer, found ${show(value)}`,
      );
    }),
  );
  return Array.from({ length: layers }, (_, layer) =>
    named.has(layer) ? list.listed : list.others,
  );
}
