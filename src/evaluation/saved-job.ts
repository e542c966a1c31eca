import type { ContextScores } from '../probes/measure.js';

/** One job of an unfinished report: scores of each context, float32 and bytes, base64. */
export interface SavedJob {
  readonly key: string;
  readonly length: number;
  readonly contexts: { readonly logProbability: string; readonly correct: string }[];
}

/** As it is saved. */
export function pack({ logProbability, correct }: ContextScores): SavedJob['contexts'][number] {
  const bytes = Buffer.from(
    logProbability.buffer,
    logProbability.byteOffset,
    logProbability.byteLength,
  );
  return {
    logProbability: bytes.toString('base64'),
    correct: Buffer.from(correct).toString('base64'),
  };
}

/** As it was measured. */
export function unpack(saved: SavedJob['contexts'][number]): ContextScores {
  const bytes = Uint8Array.from(Buffer.from(saved.logProbability, 'base64'));
  return {
    logProbability: new Float32Array(bytes.buffer),
    correct: Uint8Array.from(Buffer.from(saved.correct, 'base64')),
  };
}
