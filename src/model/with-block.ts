import { fail } from '../json/fail.js';
import { isRecord, type UnknownRecord } from '../json/parse.js';
import { LAYER_TYPE_KEYS } from './block.js';
import { isNotRope, readModel } from './read-model.js';
import { dialectOf } from './registry.js';
import type { ModelGeometry } from './types.js';

/**
 * Reads the same config with another scaling block, literally as transformers would: the block
 * stands as `rope_scaling`, which replaces `rope_parameters` whole, theta included. A block keyed
 * by layer type stands as `rope_parameters`.
 *
 * @param more other keys to set beside the block, e.g. `max_position_embeddings`
 * @throws RopeEvalError as `readModel`
 */
export function readWithBlock(
  model: ModelGeometry,
  block: UnknownRecord,
  more: UnknownRecord = {},
): ModelGeometry {
  const { config, partPath } = model;
  if (config === undefined || partPath === undefined) {
    fail('missing_field', '', 'this geometry was not read from a config');
  }
  const nested = LAYER_TYPE_KEYS.some((key) => isRecord(block[key]));
  const keys = nested
    ? { rope_parameters: block, rope_scaling: null }
    : onlyNested(model)
      ? { rope_parameters: intoGlobalBlock(model, config, partPath, block), rope_scaling: null }
      : { rope_scaling: block };
  const read = readModel(
    replaceAt(config, partPath === '' ? [] : partPath.split('.'), { ...keys, ...more }),
  );
  if (isNotRope(read)) fail('not_rope', '', `${read.modelType} does not use RoPE`);
  return read;
}

/** Families without a flat block take a scaling in the block of their global layers. */
function onlyNested(model: ModelGeometry): boolean {
  return dialectOf(model.modelType).nestedOnly === true;
}

function intoGlobalBlock(
  model: ModelGeometry,
  config: UnknownRecord,
  partPath: string,
  block: UnknownRecord,
): UnknownRecord {
  let part: unknown = config;
  for (const key of partPath === '' ? [] : partPath.split('.')) {
    part = isRecord(part) ? part[key] : undefined;
  }
  const given = isRecord(part) ? part['rope_parameters'] : undefined;
  const blocks = Object.fromEntries(
    model.groups.map((group) => [
      group.layerType,
      { rope_type: 'default', rope_theta: group.unscaled.theta },
    ]),
  );
  const all: UnknownRecord = { ...blocks, ...(isRecord(given) ? given : {}) };
  const global = model.groups.find((group) => group.span.kind === 'global') ?? model.groups[0];
  const name = global?.layerType ?? 'full_attention';
  const old = all[name];
  return { ...all, [name]: { ...(isRecord(old) ? old : {}), ...block } };
}

/** A copy of the config with keys set in the object at a path. */
function replaceAt(
  record: UnknownRecord,
  path: readonly string[],
  keys: UnknownRecord,
): UnknownRecord {
  const [first, ...rest] = path;
  if (first === undefined) return { ...record, ...keys };
  const inner = record[first];
  return { ...record, [first]: replaceAt(isRecord(inner) ? inner : {}, rest, keys) };
}
