import type { ModelGeometry, NotRope, Reference } from '../config/types.js';
import type { LoadedConfig } from './load-config.js';
import type { ReferenceFlags } from './options/reference.js';

export interface RopeModel {
  readonly model: ModelGeometry;
  readonly reference: Reference;
}

/** What the config says, before any runtime is loaded. */
export async function readGeometry(
  config: LoadedConfig,
  flags: ReferenceFlags,
): Promise<RopeModel | NotRope> {
  const { isNotRope, parseConfig, readModel } = await import('../config/index.js');
  const { chooseReference } = await import('../config/reference.js');
  const model = readModel(parseConfig(config.text, { source: config.source }));
  return isNotRope(model) ? model : { model, reference: chooseReference(model, flags) };
}

export function usesRope(read: RopeModel | NotRope): read is RopeModel {
  return 'reference' in read;
}

/** For commands that have nothing to say about a model without RoPE. */
export async function readRopeGeometry(
  config: LoadedConfig,
  flags: ReferenceFlags,
): Promise<RopeModel> {
  const { parseConfig, readModel, requireRope } = await import('../config/index.js');
  const { chooseReference } = await import('../config/reference.js');
  const model = requireRope(readModel(parseConfig(config.text, { source: config.source })));
  return { model, reference: chooseReference(model, flags) };
}
