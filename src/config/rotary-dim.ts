import { finding } from '../finding-catalogue/index.js';
import { BOUNDS } from './bounds.js';
import { fail } from './fail.js';
import type { RopeBlock, ScalingContext } from './scaling.js';

/** Rotated dimensions of a head; `exponentDim` where they were rounded up to even. */
export interface RotaryDimensions {
  readonly rotaryDim: number;
  readonly exponentDim?: number;
}

/**
 * int(head_dim * partial_rotary_factor). The unscaled path of many classes ignores the factor;
 * proportional RoPE keeps the whole head and applies the share itself.
 *
 * @throws RopeEvalError `out_of_range` for a factor outside (0, 1] or one that leaves no pair,
 *   `odd_rotary_dim` for a fully rotated odd head
 */
export function rotaryDimensions(block: RopeBlock, context: ScalingContext): RotaryDimensions {
  const { headDim } = context;
  const partial = block.partial ?? 1;
  const path = 'partial_rotary_factor';
  if (!(partial > 0 && partial <= 1)) {
    fail('out_of_range', path, `must be above 0 and at most 1, found ${partial}`);
  }
  const ignored = block.type === 'default' && !context.usesPartial;
  if (ignored && partial !== 1) {
    context.findings.push(finding('partial_ignored', path, { partial, model: context.modelType }));
  }
  const whole = ignored || block.type === 'proportional';
  const dim = whole ? headDim : Math.trunc(headDim * partial);
  if (dim < 1 || dim > BOUNDS.headDim) {
    fail('out_of_range', path, `${partial} of a head of ${headDim} dimensions leaves ${dim}`);
  }
  if (dim % 2 === 0) return { rotaryDim: dim };
  if (dim === headDim) {
    fail(
      'odd_rotary_dim',
      'head_dim',
      `a head of ${headDim} dimensions cannot be rotated in pairs`,
      'the rotated dimensions must be even: head_dim, or hidden_size / num_attention_heads',
    );
  }
  return { rotaryDim: dim + 1, exponentDim: dim };
}
