import type { Geometry } from './types.js';
import { readNumber, readTokens } from './values.js';

/** The first of these keys that holds something, read with `read`. */
function first(
  model: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  read: (value: unknown) => number | undefined = readNumber,
): number | undefined {
  const key = keys.find((k) => Object.hasOwn(model, k) && model[k] !== null);
  return key === undefined ? undefined : read(model[key]);
}

/** Whether a config's block says anything but "default". */
function scaled(block: unknown): boolean {
  if (typeof block !== 'object' || block === null) return false;
  const { rope_type: type, type: older } = block as Readonly<Record<string, unknown>>;
  return Object.keys(block).length > 0 && (type ?? older) !== 'default';
}

/**
 * A model's rotary geometry, by our names or those of its config.json.
 *
 * @returns why there is none, where something is missing or cannot be
 */
export function readGeometry(model: Readonly<Record<string, unknown>> = {}): Geometry | string {
  if (scaled(model['rope_scaling']))
    return 'the weights were trained with a scaling (model.rope_scaling), which is not modelled here';
  const theta = first(model, ['rope_theta', 'theta', 'rotary_emb_base', 'base']);
  const window = first(
    model,
    ['trained_context', 'trained_window', 'max_position_embeddings'],
    readTokens,
  );
  const hidden = first(model, ['hidden_size']);
  const heads = first(model, ['num_attention_heads']);
  const headDim = first(model, ['head_dim']) ?? (hidden && heads ? hidden / heads : undefined);
  const share = first(model, ['partial_rotary_factor', 'rotary_pct']) ?? 1;
  const whole = headDim === undefined ? undefined : Math.trunc(headDim * share);
  const rotaryDim = first(model, ['rotary_dim']) ?? whole;
  if (theta === undefined || window === undefined || rotaryDim === undefined)
    return "the model's geometry is not given (head_dim, rope_theta, trained_context)";
  if (!(theta > 1)) return `rope_theta must be above 1, found ${theta}`;
  if (!(window >= 16)) return `trained_context must be at least 16 tokens, found ${window}`;
  if (!(rotaryDim >= 4) || rotaryDim % 2 !== 0 || rotaryDim > 4096)
    return `rotated dimensions must be even and between 4 and 4096, found ${rotaryDim}`;
  return { rotaryDim, rotaryShare: headDim ? rotaryDim / headDim : 1, theta, window };
}
