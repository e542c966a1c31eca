/** What a row may not see: finite, so that a softmax over it stays a number. */
const UNSEEN = -1e9;

/** Additive causal mask (length, length): 0 on and below the diagonal. */
export function causalMask(length: number): Float32Array {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(UNSEEN, i * length + i + 1, (i + 1) * length);
  return mask;
}

/**
 * A bias by distance (heads, length) as the graph takes it, (heads, length, length) with what lies
 * ahead masked: 64 MiB at 2048 tokens, so it is built here and not sent, in one buffer a length.
 */
export class PlaceBias {
  #buffer = new Float32Array(0);

  constructor(private readonly heads: number) {}

  /** @returns valid until the next call */
  of(length: number, byDistance: Float32Array | undefined): Float32Array {
    const { heads } = this;
    if (this.#buffer.length !== heads * length * length)
      this.#buffer = new Float32Array(heads * length * length);
    for (let h = 0; h < heads; h++) {
      // Farthest first: row i is the end of it, with key i at distance 0.
      const row = (byDistance ?? new Float32Array(heads * length))
        .slice(h * length, (h + 1) * length)
        .reverse();
      for (let i = 0; i < length; i++) {
        const start = (h * length + i) * length;
        this.#buffer.set(row.subarray(length - 1 - i), start);
        this.#buffer.fill(UNSEEN, start + i + 1, start + length);
      }
    }
    return this.#buffer;
  }
}
