import { readResults } from '../../tools/validation/results.js';
import type { Row } from '../../tools/validation/types.js';

export interface Published {
  readonly method: string;
  readonly length: number;
  readonly value: number | string;
}

/** Makes rows of one table on LLaMA 1 (2048 tokens). */
export function llamaRows(published: readonly Published[], metric = 'perplexity'): Row[] {
  const { rows, unused } = readResults([
    {
      id: 'table',
      model: { head_dim: 128, rope_theta: 1e4, trained_context: 2048 },
      finetuned: false,
      metric,
      rows: published.map(({ method, length, value }) => ({ method, eval_length: length, value })),
    },
  ]);
  if (unused.length > 0) throw new Error(unused[0]!.reason);
  return rows;
}
