/**
 * Generates seeded random numbers (mulberry32, Tommy Ettinger, public domain). The stream is part
 * of the probes' definition: another generator would produce other contexts.
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns an independent stream for an index, so that adding items changes no earlier one. */
  static stream(seed: number, ...index: number[]): Random {
    // The state is scrambled before each index; otherwise small seeds and indices could cancel and
    // share a stream.
    return new Random(scramble(index.reduce((state, i) => scramble(state) ^ i, seed)));
  }

  /** Uniform in [0, 1). */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Integer in [0, n). */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }

  /** Integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Log-uniform integer in [low, high). */
  logUniform(low: number, high: number): number {
    return Math.floor(low * Math.pow(high / low, this.unit()));
  }

  /** `n` different integers in [0, size), in random order. */
  sample(size: number, n: number): number[] {
    const all = Array.from({ length: size }, (_, i) => i);
    for (let i = 0; i < n; i++) {
      const j = i + this.below(size - i);
      [all[i], all[j]] = [all[j]!, all[i]!];
    }
    return all.slice(0, n);
  }
}

/**
 * Scrambles a state: every bit affects half of the others (the finaliser of MurmurHash3, Austin
 * Appleby, public domain).
 */
function scramble(state: number): number {
  let h = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
