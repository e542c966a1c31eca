/** Rounding to the number formats that engines keep angles, cosines and sines in. */

export type NumberFormat = 'float64' | 'float32' | 'float16' | 'bfloat16';

const bits = new DataView(new ArrayBuffer(4));

/**
 * Rounds to the nearest bfloat16, ties to even: float32 with the low 16 bits rounded away.
 * Beyond the range the result is infinite, as in the engines.
 */
export function toBfloat16(value: number): number {
  if (!Number.isFinite(value)) return value;
  bits.setFloat32(0, value);
  const word = bits.getUint32(0);
  const rounded = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  bits.setUint32(0, rounded >>> 0);
  return bits.getFloat32(0);
}

/** Rounds to the nearest IEEE half, ties to even; infinite above 65504. */
export function toFloat16(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const size = Math.abs(value);
  if (size >= 65520) return value < 0 ? -Infinity : Infinity;
  bits.setFloat32(0, size);
  // 10 bits of mantissa; below 2^-14 the step stays that of the smallest normal number.
  const exponent = Math.max((bits.getUint32(0) >>> 23) - 127, -14);
  const step = Math.pow(2, exponent - 10);
  const rounded = roundHalfEven(size / step) * step;
  return value < 0 ? -rounded : rounded;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

export const ROUND: Readonly<Record<NumberFormat, (value: number) => number>> = Object.freeze({
  float64: (value: number) => value,
  float32: Math.fround,
  float16: toFloat16,
  bfloat16: toBfloat16,
});
