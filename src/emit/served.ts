import type { Block } from '../rope/kind.js';
import { type RopeSpecOf, scalingBlock } from '../rope/registry.js';
import {
  dynamicAsTheta,
  isUnsaid,
  keptKeys,
  sayIn,
  servedLongrope,
  type Support,
  thetaBlock,
  type Unsaid,
  wholeBlock,
  yarnBase,
} from './block.js';
import type { EmitGroup, EmitInput } from './types.js';
import type { Version } from './version.js';

/** The blocks that vLLM and SGLang share, because SGLang forked vLLM's rotary tables. */

/** Scalings that amount to a theta, which every class reads. */
export const THETA_ALONE: Support<Block> = Object.freeze({
  default: thetaBlock,
  ntk: thetaBlock,
  // The engines' own `dynamic` is one table built at start, and in vLLM since 0.22 no scaling at
  // all.
  dynamic: (rope, { length }) => ({
    rope_type: 'default',
    rope_theta: dynamicAsTheta(rope, length).theta,
  }),
});

/**
 * One line for each rope type of the shared rotary tables. YaRN is missing, because the two engines
 * use different keys for its temperature.
 */
export const SERVED: Support<Block> = Object.freeze({
  ...THETA_ALONE,
  linear: (rope) => ({ ...scalingBlock(rope), rope_theta: rope.theta }),
  llama3: (rope) => ({ ...scalingBlock(rope), rope_theta: rope.theta }),
  longrope: servedLongrope,
});

export type SayYarn = NonNullable<Support<Block>['yarn']>;

/** Model families whose class builds its own table, whatever the block says. */
export interface Family {
  readonly has: (input: EmitInput) => boolean;
  readonly support: (version: Version) => Support<Block>;
}

/** DeepSeek's classes read mscale themselves, and treat all types but `default` as their YaRN. */
export const LATENT: Family = Object.freeze({
  has: ({ geometry }: EmitInput) => geometry.attention.latent !== undefined,
  support: () => ({ ...THETA_ALONE, yarn: latentYarn }),
});

function latentYarn(rope: RopeSpecOf<'yarn'>): Block | Unsaid {
  if (!rope.truncate) return { unsaid: 'DeepSeek’s YaRN does not read truncate' };
  // An mscale of 0 removes the temperature from the tables and from the softmax.
  if (rope.attentionFactor === 1) return { ...yarnBase(rope), mscale: 0, mscale_all_dim: 0 };
  if (rope.attentionFactor !== undefined) {
    return { unsaid: 'DeepSeek’s YaRN does not read attention_factor' };
  }
  return { ...yarnBase(rope), ...scalingBlock(rope) };
}

/**
 * Models whose block divides the pairs among time, height and width. The sections are only read
 * beside these rope types.
 *
 * @param yarn how the engine expresses YaRN for these models
 */
export function multimodal(yarn: (version: Version) => SayYarn): Family {
  return Object.freeze({
    has: (input: EmitInput) => 'mrope_section' in keptKeys(input, input.groups[0].layerType),
    support: (version: Version) => ({ ...THETA_ALONE, yarn: yarn(version) }),
  });
}

/**
 * Builds the complete block of a group as the engine's class for the model reads it, or says why no
 * class reads it.
 */
export function servedBlock(
  group: EmitGroup,
  input: EmitInput,
  engine: { readonly support: Support<Block>; readonly families: readonly Family[] },
  version: Version,
): Block | Unsaid {
  const family = engine.families.find(({ has }) => has(input))?.support(version);
  const said = sayIn(family ?? engine.support, group.rope, input);
  if (!isUnsaid(said)) return wholeBlock(said, group, input);
  return family === undefined || Object.hasOwn(family, group.rope.type)
    ? said
    : { unsaid: `the class of ${input.geometry.modelType} does not take ${group.rope.type}` };
}
