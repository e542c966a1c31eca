import type { PositionEncoding } from './types.js';

const BASE = 10_000;

/**
 * Fixed waves (Vaswani et al. 2017, section 3.5, arXiv:1706.03762): column 2i is sin, column
 * 2i + 1 is cos of position / 10000^(2i / width).
 *
 * @returns (length, width)
 */
export function sinusoidalTable(length: number, width: number): Float32Array {
  const table = new Float32Array(length * width);
  for (let i = 0; i < width; i += 2) {
    const frequency = Math.pow(BASE, -i / width);
    for (let t = 0; t < length; t++) {
      table[t * width + i] = Math.sin(t * frequency);
      table[t * width + i + 1] = Math.cos(t * frequency);
    }
  }
  return table;
}

export const sinusoidal: PositionEncoding = {
  title: 'sinusoidal',
  inputs: (length, { width }) => ({ added: sinusoidalTable(length, width) }),
};
