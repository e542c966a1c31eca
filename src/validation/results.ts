import { z } from 'zod';

/** The form of a file of published results; documented in docs/validation.md. */
export const ResultsSchema = z.array(
  z.looseObject({
    id: z.string(),
    model: z.looseObject({
      name: z.string(),
      head_dim: z.unknown(),
      rope_theta: z.unknown(),
      trained_context: z.unknown(),
    }),
    finetuned: z.unknown(),
    metric: z.string(),
    rows: z.array(
      z.looseObject({
        method: z.string(),
        params: z.record(z.string(), z.unknown()).optional(),
        eval_length: z.unknown(),
        value: z.number().nullable().optional(),
        censored: z.string().nullable().optional(),
        finetuned: z.boolean().optional(),
      }),
    ),
  }),
);

export type ResultEntry = z.infer<typeof ResultsSchema>[number];

export type Method =
  | 'none'
  | 'linear'
  | 'ntk'
  | 'by-parts'
  | 'yarn'
  | 'dynamic'
  | 'dynamic-linear'
  | 'dynamic-by-parts'
  | 'dynamic-yarn'
  | 'llama3'
  | 'theta'
  | 'longrope';

export type MetricKind = 'perplexity' | 'loss' | 'accuracy';

export interface Geometry {
  readonly name: string;
  readonly headDim: number;
  readonly theta: number;
  readonly window: number;
}

/** A published figure that the probe can be asked about. */
export interface Row {
  readonly entry: string;
  readonly geometry: Geometry;
  readonly metric: MetricKind;
  readonly method: Method;
  readonly factor: number;
  readonly params: Readonly<Record<string, unknown>>;
  readonly length: number;
  /** Bounds of the published value: equal where it was given. */
  readonly low: number;
  readonly high: number;
}

export interface Unused {
  readonly entry: string;
  readonly row: string;
  readonly reason: string;
}

/** Spellings of methods in papers, read in order: the first that matches wins. */
const METHODS: readonly (readonly [RegExp, Method])[] = Object.freeze([
  [/^dynamic[ -]?(linear|pi)/i, 'dynamic-linear'],
  [/^dynamic[ -]?(ntk[ -]?)?by[ -]?parts/i, 'dynamic-by-parts'],
  [/^dynamic[ -]?yarn/i, 'dynamic-yarn'],
  [/^dynamic/i, 'dynamic'],
  [/^(ntk[ -]?)?by[ -]?parts/i, 'by-parts'],
  [/^ntk/i, 'ntk'],
  [/^(linear|pi\b|position(al)? interpolation)/i, 'linear'],
  [/^yarn/i, 'yarn'],
  [/^llama-?3/i, 'llama3'],
  [/^(longrope|su\b)/i, 'longrope'],
  [/^(theta|abf|base|rope[ _]theta)/i, 'theta'],
  [/^(none|unscaled|baseline|original|base model)/i, 'none'],
]);

function metricKind(metric: string): MetricKind | undefined {
  if (/perplexity|\bppl\b/i.test(metric)) return 'perplexity';
  if (/accuracy|score|pass|retrieval|recall|\bem\b|f1/i.test(metric)) return 'accuracy';
  return /loss|nll|nats|cross.entropy/i.test(metric) ? 'loss' : undefined;
}

/** `8192`, `"8k"`, `"1M"` → tokens. */
function tokens(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*([kM]?)$/.exec(value) : null;
  if (!match) return undefined;
  return Number(match[1]) * (match[2] === 'k' ? 1024 : match[2] === 'M' ? 1024 * 1024 : 1);
}

function bounds(value: number | null | undefined, censored: string | null | undefined) {
  if (typeof value === 'number') return { low: value, high: value };
  const match = censored ? /^([<>])=?\s*(\d+(?:\.\d+)?)$/.exec(censored.trim()) : null;
  if (!match) return undefined;
  const limit = Number(match[2]);
  return match[1] === '>' ? { low: limit, high: Infinity } : { low: -Infinity, high: limit };
}

const isDynamic = (method: Method): boolean => method.startsWith('dynamic');

function factorOf(method: Method, params: Readonly<Record<string, unknown>>): number | undefined {
  if (method === 'none' || isDynamic(method)) return 1;
  const factor = params['factor'] ?? params['alpha'] ?? params['scale'];
  if (typeof factor === 'number') return factor;
  return method === 'theta' || method === 'longrope' ? 1 : undefined;
}

/** Splits a file into what can be compared and what cannot, with the reason. */
export function readResults(entries: readonly ResultEntry[]): { rows: Row[]; unused: Unused[] } {
  const rows: Row[] = [];
  const unused: Unused[] = [];
  for (const entry of entries) {
    const metric = metricKind(entry.metric);
    const { head_dim: headDim, rope_theta: theta, trained_context: window, name } = entry.model;
    for (const row of entry.rows) {
      const params = row.params ?? {};
      const skip = (reason: string): void => {
        const label = `${row.method} ${JSON.stringify(params)} at ${String(row.eval_length)}`;
        unused.push({ entry: entry.id, row: label, reason });
      };
      const method = METHODS.find(([pattern]) => pattern.test(row.method))?.[1];
      const length = tokens(row.eval_length);
      const value = bounds(row.value, row.censored);
      if (row.finetuned ?? entry.finetuned === true) skip('fine-tuned after scaling');
      else if (!metric) skip(`metric "${entry.metric}" is neither perplexity, loss nor accuracy`);
      else if (
        typeof headDim !== 'number' ||
        typeof theta !== 'number' ||
        typeof window !== 'number'
      )
        skip("the model's geometry is not given");
      else if (!method) skip(`unknown method "${row.method}"`);
      else if (length === undefined) skip('no evaluated length');
      else if (!value) skip('no value');
      else if (factorOf(method, params) === undefined) skip('no factor');
      else if (method === 'theta' && typeof params['theta'] !== 'number') skip('no theta');
      else if (length / window > 32) skip('beyond 32 windows');
      else if (length / window < 0.25) skip('under a quarter of the window');
      else
        rows.push({
          entry: entry.id,
          geometry: { name, headDim, theta, window },
          metric,
          method,
          factor: factorOf(method, params)!,
          params,
          length,
          ...value,
        });
    }
  }
  return { rows, unused };
}
