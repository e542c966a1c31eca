/** Formats a KV cache is kept in, and their bytes per number. */
export const CACHE_DTYPES = Object.freeze({
  float32: 4,
  bfloat16: 2,
  float16: 2,
  float8: 1,
  int8: 1,
  int4: 0.5,
});

export type CacheDtype = keyof typeof CACHE_DTYPES;

/** Names that engines and people have for them. */
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
  q8_0: 'int8',
  q4_0: 'int4',
});

/** The number format that a person means; undefined for a name that nobody uses. */
export function dtypeNamed(text: string): CacheDtype | undefined {
  const name = text.trim().toLowerCase();
  if (Object.hasOwn(CACHE_DTYPES, name)) return name as CacheDtype;
  return Object.hasOwn(DTYPE_ALIASES, name) ? DTYPE_ALIASES[name] : undefined;
}
