import type { PositionEncoding } from './types.js';

/** Nothing but the causal mask (Kazemnejad et al. 2023, arXiv:2305.19466). */
export const nope: PositionEncoding = {
  title: 'none (NoPE)',
  inputs: () => ({}),
};
