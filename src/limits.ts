/** Bounds of what a run may be asked for, on the command line and in the library alike. */
export const LIMITS = Object.freeze({
  /** Seeds are 32-bit: the generator's state starts from one. */
  seed: 2 ** 32 - 1,
  /** More contexts than this take days on a laptop. */
  samples: 100_000,
  /** The probe models are small: from 8 threads on they gain nothing, and hundreds never finish. */
  threads: 64,
});
