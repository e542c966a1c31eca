import { Float16Array } from '@petamoriken/float16';
import { ELEMENT } from './graph.js';
import type { RotarySite } from './rotary.js';

/** cos and sin by position, including the attention scaling: (positions, pairs), row-major. */
export interface RotaryValues {
  readonly positions: number;
  readonly pairs: number;
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** How the rows of a site repeat each pair. */
export type RowLayout = 'once' | 'halves' | 'neighbours';

/**
 * Computes the values of a rotary table. Angles are in float64.
 *
 * @param invFreq (pairs,) radians per token
 */
export function rotaryValues(
  invFreq: ArrayLike<number>,
  attentionScaling: number,
  positions: number,
): RotaryValues {
  const pairs = invFreq.length;
  const cos = new Float32Array(positions * pairs);
  const sin = new Float32Array(positions * pairs);
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < pairs; i++) {
      const angle = p * invFreq[i]!;
      cos[p * pairs + i] = Math.cos(angle) * attentionScaling;
      sin[p * pairs + i] = Math.sin(angle) * attentionScaling;
    }
  }
  return { positions, pairs, cos, sin };
}

/** Returns the rows [from, to) of cos or sin in the layout and element type of a site. */
export function siteRows(
  site: RotarySite,
  layout: RowLayout,
  values: RotaryValues,
  of: 'cos' | 'sin',
  from: number,
  to: number,
): Float32Array | Uint16Array {
  const { pairs } = values;
  const table = values[of];
  const width = layout === 'once' ? pairs : 2 * pairs;
  const out = new Float32Array((to - from) * width);
  for (let row = from; row < to; row++) {
    for (let i = 0; i < pairs; i++) {
      const value = table[row * pairs + i]!;
      const at = (row - from) * width;
      if (layout === 'once') out[at + i] = value;
      else if (layout === 'halves') out[at + i] = out[at + pairs + i] = value;
      else out[at + 2 * i] = out[at + 2 * i + 1] = value;
    }
  }
  return site.element === ELEMENT.float16 ? toHalf(out) : out;
}

/**
 * Converts float32 to float16 as bits, because Node 20 has no Float16Array and the runtime takes a
 * Uint16Array.
 */
export function toHalf(values: Float32Array): Uint16Array {
  return new Uint16Array(Float16Array.from(values).buffer);
}

/** Converts float16 bits to float32. */
export function fromHalf(bits: Uint16Array): Float32Array {
  return Float32Array.from(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
}

/**
 * Determines how wide rows repeat a pair, from cos at position 1; undefined if they do so in
 * neither way.
 */
export function layoutOf(cos: Float32Array, width: number): RowLayout | undefined {
  const row = cos.subarray(width, 2 * width);
  const half = width / 2;
  if (width % 2 !== 0) return undefined;
  if (row.subarray(0, half).every((v, i) => v === row[half + i])) return 'halves';
  return row.every((v, i) => v === row[i ^ 1]) ? 'neighbours' : undefined;
}

/** Returns the rows of a wide table with each pair only once. */
export function pairsOnce(rows: Float32Array, width: number, layout: RowLayout): Float32Array {
  if (layout === 'once') return rows;
  const pairs = width / 2;
  const out = new Float32Array(rows.length / 2);
  for (let row = 0; row * width < rows.length; row++)
    for (let i = 0; i < pairs; i++)
      out[row * pairs + i] = rows[row * width + (layout === 'halves' ? i : 2 * i)]!;
  return out;
}

/** The numbers behind a table, recovered from its values. */
export interface ReadTable {
  /** (pairs,) radians per token. */
  readonly invFreq: Float64Array;
  readonly attentionScaling: number;
}

/**
 * Recovers the frequencies and attention scaling of a table. It takes the angle at position 1, then
 * at 2, 4, 8 and so on. Each angle is unwrapped with the help of the one before, so the last one
 * gives the frequency to the table's own precision.
 */
export function readTable({ positions, pairs, cos, sin }: RotaryValues): ReadTable {
  const at = (row: number, i: number): number =>
    Math.atan2(sin[row * pairs + i]!, cos[row * pairs + i]!);
  const invFreq = Float64Array.from({ length: pairs }, (_, i) => {
    let frequency = at(1, i);
    for (let row = 2; row < positions; row *= 2) {
      const turns = Math.round((row * frequency - at(row, i)) / (2 * Math.PI));
      frequency = (at(row, i) + 2 * Math.PI * turns) / row;
    }
    return frequency;
  });
  return { invFreq, attentionScaling: Math.hypot(cos[pairs]!, sin[pairs]!) };
}
