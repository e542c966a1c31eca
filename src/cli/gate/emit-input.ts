import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseCandidates, resolveCandidate } from '../../candidates/index.js';
import { parseConfig } from '../../config/index.js';
import type { EmitInput } from '../../emit/index.js';
import { RopeEvalError } from '../../errors.js';
import { claimedLength } from '../../gate/claimed.js';
import type { LoadedConfig } from '../load-config.js';
import type { ReferenceFlags } from '../options/reference.js';
import { readRopeGeometry } from '../read-geometry.js';

/** What a candidate means for this model, as the emitters want it. */
export async function emitInput(
  config: LoadedConfig,
  candidate: string,
  flags: ReferenceFlags & { readonly target?: number },
  cwd: string,
): Promise<EmitInput> {
  const { model, reference } = await readRopeGeometry(config, flags);
  const [definition, ...others] = parseCandidates(candidate);
  if (!definition || others.length > 0) {
    throw new RopeEvalError(`one candidate at a time, found '${candidate}'`, 2, 'usage', candidate);
  }
  if (definition.method === 'theta' && flags.target === undefined) {
    throw new RopeEvalError(
      `${definition.label} says nothing about a length`,
      2,
      'usage',
      '--target',
      'Add the length to serve: --target 131072.',
    );
  }
  const resolved = resolveCandidate(definition, model, reference, {
    readFile: (path) => readFileSync(resolve(cwd, path), 'utf8'),
  });
  const groups = model.groups.flatMap((group, index) => {
    const rope = resolved.specs[index];
    return rope ? [{ layerType: group.layerType, span: group.span, rope }] : [];
  });
  const scaled = {
    ...model,
    maxPositions: Math.min(model.maxPositions, reference.trainedWindow),
    groups: model.groups.map((group, index) => ({
      ...group,
      rope: groups[index]?.rope ?? group.rope,
    })),
  };
  const [first, ...rest] = groups;
  if (!first) throw new RopeEvalError('no layer of this model uses RoPE', 2, 'not_rope');
  return {
    label: definition.label,
    geometry: model,
    groups: [first, ...rest],
    raw: parseConfig(config.text, { source: config.source }),
    length: flags.target ?? claimedLength(scaled, reference.trainedWindow),
  };
}
