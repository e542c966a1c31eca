import { parseConfig } from '../../config/index.js';
import { referenceSpecs } from '../../config/reference.js';
import { emitInputOf, type EmitInput } from '../../emit/index.js';
import { RopeEvalError } from '../../errors.js';
import { claimedLength } from '../../gate/claimed.js';
import { resolveOne } from '../choose-candidates.js';
import type { Environment } from '../environment.js';
import type { LoadedConfig } from '../load-config.js';
import type { ReferenceFlags } from '../options/reference.js';
import { readRopeGeometry } from '../read-geometry.js';

/** What a candidate means for this model, as the emitters want it. */
export async function emitInput(
  config: LoadedConfig,
  candidate: string,
  flags: ReferenceFlags & { readonly target?: number },
  environment: Environment,
): Promise<EmitInput> {
  const read = await readRopeGeometry(config, flags);
  const { model, reference } = read;
  const { label, definition, specs } = await resolveOne(candidate, '', read, environment);
  if (definition.method === 'theta' && flags.target === undefined) {
    throw new RopeEvalError(
      `${label} says nothing about a length`,
      2,
      'usage',
      '--target',
      'Add the length to serve: --target 131072.',
    );
  }
  const scaled = {
    ...model,
    maxPositions: Math.min(model.maxPositions, reference.trainedWindow),
    groups: model.groups.map((group, index) => ({ ...group, rope: specs[index] ?? group.rope })),
  };
  const trained = {
    specs: referenceSpecs(model, model, reference),
    window: reference.trainedWindow,
  };
  const length = flags.target ?? claimedLength(scaled, trained);
  const raw = parseConfig(config.text, { source: config.source });
  const input = emitInputOf(label, model, reference, specs, raw, length);
  if (!input) throw new RopeEvalError('no layer of this model uses RoPE', 2, 'not_rope');
  return input;
}
