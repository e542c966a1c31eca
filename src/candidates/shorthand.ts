import {
  effectiveTheta,
  extensionOf,
  kindOf,
  SHORTHANDS,
  type RopeSpec,
} from '../rope/registry.js';
import { baseOf } from '../rope/spec.js';
import { failCandidate, type FactorDefinition } from './definition.js';

/**
 * The spec of a shorthand on one layer group.
 *
 * A factor multiplies the trained window. On unscaled weights that is the plain block: factor F,
 * original window = trained window. Where the weights were trained with a scaling, a config can
 * hold one block only, so the new block has to carry both: with a trained-in extension f of the
 * window W / f, `yarn:2` on Llama 3.1 (llama3, 8 x 8192 of base theta) is YaRN with factor 8 x 2
 * and original window 8192. Slow pairs then end exactly F times slower than in the weights. The
 * same type continues (llama3:2 there is llama3 16 x, with the trained-in parameters); another type
 * drops the trained-in shape of the bands, which the caller reports. A trained-in `ntk` is a theta,
 * and every shorthand keeps it.
 *
 * @param trained the spec that the weights were trained with
 * @param trainedWindow tokens
 * @throws RopeEvalError `unsupported_candidate`, `invalid_value`
 */
export function shorthandSpec(
  definition: FactorDefinition,
  trained: RopeSpec,
  trainedWindow: number,
): RopeSpec {
  const made = makeShorthand(definition, trained, trainedWindow);
  if (!('refused' in made)) return made;
  const { kind, problem, hint } = made.refused;
  failCandidate(kind, definition.label, problem, hint);
}

function makeShorthand(definition: FactorDefinition, trained: RopeSpec, trainedWindow: number) {
  const { architecture } = kindOf(trained);
  if (architecture !== undefined) return architecture.scaled(trained, definition);
  const { kind, shorthand } = SHORTHANDS[definition.method];
  const extension = extensionOf(trained);
  return shorthand.make(definition, {
    base: { ...baseOf(trained), theta: effectiveTheta(trained) },
    window: extension.originalMaxPositions ?? trainedWindow / extension.factor,
    factor: extension.factor * definition.factor,
    same: trained.type === kind ? trained : undefined,
  });
}
