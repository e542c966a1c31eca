/** Rounding to the number formats that engines keep angles, cosines and sines in. */

export type NumberFormat = 'float64' | 'float32' | 'float16' | 'bfloat16';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * Rounds to the nearest bfloat16, ties to even: float32 with the low 16 bits rounded away.
 * Beyond the range the result is infinite, as in the engines.
 */
export function toBfloat16(value: number): number {
  if (!Number.isFinite(value)) return value;
  float[0] = value;
  const word = bits[0] as number;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return float[0];
}

/** Adding and taking away 1.5 * 2^52 steps leaves whole steps, ties to even. */
const WHOLE = 1.5 * 2 ** 52;
/** Steps between half-precision numbers by binary exponent, -14 to 15: 10 bits of mantissa. */
const HALF_STEPS = Float64Array.from({ length: 30 }, (_, index) => 2 ** (index - 14 - 10));

/** Rounds to the nearest IEEE half, ties to even; infinite above 65504. */
export function toFloat16(value: number): number {
  if (!Number.isFinite(value)) return value;
  if (value >= 65520) return Infinity;
  if (value <= -65520) return -Infinity;
  float[0] = value;
  const exponent = (((bits[0] as number) >>> 23) & 0xff) - 127;
  // Below 2^-14 the step stays that of the smallest normal number; 65519 may round up in float32.
  const magic = WHOLE * (HALF_STEPS[Math.min(29, Math.max(0, exponent + 14))] as number);
  return value + magic - magic;
}

export const ROUND: Readonly<Record<NumberFormat, (value: number) => number>> = Object.freeze({
  float64: (value: number) => value,
  float32: Math.fround,
  float16: toFloat16,
  bfloat16: toBfloat16,
});
