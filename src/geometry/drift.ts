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

/**
 * Measures relative-distance drift. In exact arithmetic, q·k depends only on the distance between
 * the tokens (Su et al. 2021, RoFormer, arXiv:2104.09864, equation 11). Engines round the product
 * of position and frequency, or the cosine and sine, so scores at one distance change with the
 * absolute position.
 */

export interface Arithmetic {
  readonly name: string;
  /** The format of the position, the frequency and their product. */
  readonly angle: NumberFormat;
  /** The format in which cosine and sine are stored. */
  readonly table: NumberFormat;
}

/** The arithmetics that engines use; docs/geometry.md explains the names. */
export const ARITHMETICS: readonly Arithmetic[] = Object.freeze([
  { name: 'float32', angle: 'float32', table: 'float32' },
  { name: 'float16 table', angle: 'float32', table: 'float16' },
  { name: 'bfloat16 table', angle: 'float32', table: 'bfloat16' },
  { name: 'float16 angles', angle: 'float16', table: 'float16' },
  { name: 'bfloat16 angles', angle: 'bfloat16', table: 'bfloat16' },
]);

/** A mean cosine with a larger error can reverse the order of near neighbours. */
const DRIFT_TOLERANCE = 0.01;

/** The drift under one arithmetic. */
export interface Drift {
  readonly arithmetic: string;
  readonly byPosition: readonly {
    /** Position of the query, tokens. */
    readonly position: number;
    /** The largest |measured − exact| mean cosine over the distances; null = not a number. */
    readonly error: number | null;
  }[];
  /** The largest error over the positions; null if any is not a number. */
  readonly worst: number | null;
  /** The first position whose error is above DRIFT_TOLERANCE or not a number; null: none. */
  readonly firstAbove: number | null;
}

const DISTANCES = [1, 2, 5, 16, 60];
/** Every format holds powers of two exactly, so the query positions lie just before them. */
const OFFSETS = [0, 1, 3];

/**
 * Measures the drift under every arithmetic.
 *
 * @param invFreq (pairs,) radians per token; rounded to float32 first, as engines do
 * @param upTo number of positions, tokens
 */
export function measureDrift(invFreq: ArrayLike<number>, upTo: number): Drift[] {
  const frequencies = Float64Array.from(
    Array.from(invFreq).filter((frequency) => frequency > 0),
    Math.fround,
  );
  const exact = DISTANCES.map((distance) => meanCosine(frequencies, distance));
  const positions = positionLadder(upTo);
  const errors = new Map(ARITHMETICS.map(({ name }) => [name, positions.map(() => 0)]));
  for (const angle of new Set(ARITHMETICS.map((arithmetic) => arithmetic.angle))) {
    const sharing = ARITHMETICS.filter((arithmetic) => arithmetic.angle === angle);
    positions.forEach((position, rung) => {
      for (const offset of OFFSETS) {
        // The angles are the same for every table format, so they are computed once and rounded per
        // format.
        const turned = [0, ...DISTANCES].map((distance) =>
          turn(frequencies, position - offset - distance, angle),
        );
        for (const { name, table } of sharing) {
          const row = errors.get(name) as number[];
          const error = scoreError(turned, exact, table);
          row[rung] = Number.isNaN(error) ? NaN : Math.max(row[rung] ?? 0, error);
        }
      }
    });
  }
  return ARITHMETICS.map(({ name }) => summarise(name, positions, errors.get(name) ?? []));
}

function summarise(arithmetic: string, positions: readonly number[], errors: number[]): Drift {
  const byPosition = positions.map((position, rung) => {
    const error = errors[rung] ?? NaN;
    return { position, error: Number.isFinite(error) ? error : null };
  });
  const broken = byPosition.some(({ error }) => error === null);
  return {
    arithmetic,
    byPosition,
    worst: broken ? null : Math.max(0, ...byPosition.map(({ error }) => error ?? 0)),
    firstAbove:
      byPosition.find(({ error }) => error === null || error > DRIFT_TOLERANCE)?.position ?? null,
  };
}

/** Returns query positions 127, 511, 2047 … and the last; each is far enough from 0 for every key. */
function positionLadder(upTo: number): number[] {
  const positions: number[] = [];
  for (let length = 128; length < upTo; length *= 4) positions.push(length - 1);
  return [...positions, Math.max(127, upTo - 1)];
}

/** The cosine and sine of every pair at one position, (pairs,) each. */
interface Turned {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

function turn(frequencies: Float64Array, position: number, format: NumberFormat): Turned {
  const round = ROUND[format];
  const at = round(position);
  const angles = frequencies.map((frequency) => round(at * round(frequency)));
  return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
}

/**
 * Returns the largest error of the mean cosine over DISTANCES; NaN if an angle overflowed.
 *
 * @param turned the query, then one key per distance
 * @param exact mean cosine per distance
 */
function scoreError(
  turned: readonly Turned[],
  exact: readonly number[],
  format: NumberFormat,
): number {
  const round = ROUND[format];
  const [query, ...keys] = turned.map(({ cos, sin }) => ({
    cos: cos.map(round),
    sin: sin.map(round),
  })) as [Turned, ...Turned[]];
  let largest = 0;
  keys.forEach((key, index) => {
    const error = Math.abs(meanProduct(query, key) - (exact[index] ?? 0));
    largest = Number.isNaN(error) ? NaN : Math.max(largest, error);
  });
  return largest;
}

function meanProduct(query: Turned, key: Turned): number {
  let sum = 0;
  for (let pair = 0; pair < query.cos.length; pair++) {
    sum +=
      (query.cos[pair] as number) * (key.cos[pair] as number) +
      (query.sin[pair] as number) * (key.sin[pair] as number);
  }
  return sum / Math.max(1, query.cos.length);
}

function meanCosine(frequencies: Float64Array, distance: number): number {
  let sum = 0;
  for (const frequency of frequencies) sum += Math.cos(distance * frequency);
  return sum / Math.max(1, frequencies.length);
}
