/** The formats of a KV cache, and their bytes per number. */
export const CACHE_DTYPES = Object.freeze({
  float32: 4,
  bfloat16: 2,
  float16: 2,
  float8: 1,
  int8: 1,
  int4: 0.5,
});

export type CacheDtype = keyof typeof CACHE_DTYPES;

/** Other names of the formats, as engines and people use them. */
const DTYPE_ALIASES: Readonly<Partial<Record<string, CacheDtype>>> = Object.freeze({
  fp32: 'float32',
  f32: 'float32',
  bf16: 'bfloat16',
  fp16: 'float16',
  f16: 'float16',
  half: 'float16',
  fp8: 'float8',
  fp8_e4m3: 'float8',
  fp8_e5m2: 'float8',
  float8_e4m3fn: 'float8',
  float8_e5m2: 'float8',
  fp8_e4m3fn: 'float8',
  q8_0: 'int8',
  q4_0: 'int4',
});

/** Returns the format that a name stands for; undefined for an unknown name. */
export function dtypeNamed(text: string): CacheDtype | undefined {
  const name = text.trim().toLowerCase();
  if (Object.hasOwn(CACHE_DTYPES, name)) return name as CacheDtype;
  return Object.hasOwn(DTYPE_ALIASES, name) ? DTYPE_ALIASES[name] : undefined;
}

/** The number formats in which engines keep angles, cosines and sines. */

export type NumberFormat = 'float64' | 'float32' | 'float16' | 'bfloat16';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * Rounds to the nearest bfloat16, ties to even, by rounding away the low 16 bits of a float32.
 * Beyond the range the result is infinite, as in the engines.
 */
export function toBfloat16(value: number): number {
  if (!Number.isFinite(value)) return value;
  float[0] = value;
  const word = bits[0] as number;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return float[0];
}

/** Adding and then subtracting 1.5 * 2^52 steps rounds to whole steps, ties to even. */
const WHOLE = 1.5 * 2 ** 52;
/** The step between half-precision numbers by binary exponent, -14 to 15: 10 bits of mantissa. */
const HALF_STEPS = Float64Array.from({ length: 30 }, (_, index) => 2 ** (index - 14 - 10));

/** Rounds to the nearest IEEE half, ties to even. From 65520 on, the result is infinite. */
export function toFloat16(value: number): number {
  if (!Number.isFinite(value)) return value;
  if (value >= 65520) return Infinity;
  if (value <= -65520) return -Infinity;
  float[0] = value;
  const exponent = (((bits[0] as number) >>> 23) & 0xff) - 127;
  // Below 2^-14, the step stays that of the smallest normal number. A value of 65519 may round up
  // in float32.
  const magic = WHOLE * (HALF_STEPS[Math.min(29, Math.max(0, exponent + 14))] as number);
  return value + magic - magic;
}

/** Rounds a number to each format. */
export const ROUND: Readonly<Record<NumberFormat, (value: number) => number>> = Object.freeze({
  float64: (value: number) => value,
  float32: Math.fround,
  float16: toFloat16,
  bfloat16: toBfloat16,
});
