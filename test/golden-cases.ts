import { readFileSync } from 'node:fs';

/** A config with what transformers computes for it. */
export interface GoldenCase {
  readonly id: string;
  readonly config: Record<string, unknown>;
  readonly seq_len: number | null;
  readonly layer_type: string | null;
  readonly expected: {
    readonly inv_freq: readonly number[];
    readonly attention_scaling: number;
    readonly rotary_dim: number;
    readonly head_dim?: number;
  };
  readonly info: {
    readonly rope_type?: string;
    readonly rope_theta?: number;
    readonly layout?: string;
    readonly layers_without_rope?: readonly number[];
    readonly layers_of_this_type?: readonly number[];
    readonly softmax_scale?: number;
  };
}

/** A wrong or unusual config with what should be done about it. */
export interface InvalidCase {
  readonly id: string;
  readonly config: unknown;
  readonly config_text: string | null;
  readonly cli: { readonly action: string; readonly error_kind: string };
  readonly note: string;
}

/** Reads the lines of a file in fixtures/golden. */
export function goldenLines<T>(name: string): T[] {
  const path = new URL(`../fixtures/golden/${name}`, import.meta.url);
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Reads a file in fixtures/model-configs. */
export function modelConfig(name: string): string {
  return readFileSync(new URL(`../fixtures/model-configs/${name}`, import.meta.url), 'utf8');
}
