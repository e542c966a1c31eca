import { FACT_WEIGHT } from '../evaluation/score.js';
import type { RopeSpec } from '../rope/types.js';
import { count, pairs, type Agreement, type Pair } from './agreement.js';
import { fit, leaveOneFactorOut, type Family } from './fit.js';
import { formulaPrediction, formulaTerms, WEIGHT_GRID, type Weights } from './formulas.js';
import { probe, type ProbeAnswer, type ProbeParts } from './probe.js';
import { readResults, type Geometry, type ResultEntry, type Row, type Unused } from './results.js';
import { specOf } from './specs.js';

export interface TableAgreement {
  readonly entry: string;
  readonly member: string;
  readonly probe: { readonly sameFactor: Agreement; readonly anyFactor: Agreement };
  readonly formula: { readonly sameFactor: Agreement; readonly anyFactor: Agreement };
}

/** Loss at 1x: what the probe says and the published ln ratio to the unscaled model. */
export interface ShortRow {
  readonly row: Row;
  readonly probe: number;
  /** `bound`: the published value is a lower bound. */
  readonly published: number;
  readonly bound: boolean;
}

export interface Validation {
  readonly tables: readonly TableAgreement[];
  readonly disagreements: readonly Pair[];
  readonly leaveOneOut: { readonly probe: Agreement; readonly formula: Agreement };
  readonly formulaWeights: Weights;
  /** Pairs of the same factor that agree, by weight of the facts' loss. */
  readonly byWeight: readonly { readonly weight: number; readonly agreement: Agreement }[];
  readonly short: readonly ShortRow[];
  readonly reach: readonly { alpha: number; probe: number; published: number }[];
  readonly unused: readonly Unused[];
  readonly seconds: number;
}

/** Peng et al. 2023 and the NTK-aware thread: static alpha on LLaMA 1, 2048 tokens. */
const PUBLISHED_REACH = Object.freeze([
  { alpha: 2, published: 1.7 },
  { alpha: 4, published: 3.1 },
  { alpha: 8, published: 4.4 },
]);
const LLAMA1: Geometry = Object.freeze({
  name: 'LLaMA-7B',
  headDim: 128,
  theta: 1e4,
  window: 2048,
});
const REACH_STEPS = Object.freeze([
  1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 10,
]);

export interface ValidateOptions {
  readonly threads: number;
  readonly seed: number;
  readonly member?: string;
  readonly log?: (line: string) => void;
}

const key = (value: unknown): string => JSON.stringify(value);

/** Measures every usable row; rows of one geometry share a run. */
async function measure(rows: readonly Row[], options: ValidateOptions) {
  const parts = new Map<Row, ProbeParts>();
  const members = new Map<string, ProbeAnswer>();
  for (const geometry of new Set(rows.map((r) => key(r.geometry)))) {
    const mine = rows.filter((r) => key(r.geometry) === geometry);
    const specs = new Map<string, { spec: RopeSpec; lengths: number[] }>();
    for (const row of mine) {
      const spec = specOf(row)!;
      const entry = specs.get(key(spec)) ?? { spec, lengths: [] };
      entry.lengths.push(row.length);
      specs.set(key(spec), entry);
    }
    options.log?.(`probing ${mine[0]!.geometry.name}: ${specs.size} scalings`);
    const scalings = [...specs.values()];
    const answer = await probe({ geometry: mine[0]!.geometry, scalings }, options);
    members.set(geometry, answer);
    const index = [...specs.keys()];
    for (const row of mine)
      parts.set(row, answer.parts[index.indexOf(key(specOf(row)))]!.get(row.length)!);
  }
  return { parts, members };
}

function shortRows(rows: readonly Row[], parts: ReadonlyMap<Row, ProbeParts>): ShortRow[] {
  const atWindow = rows.filter((r) => r.metric === 'perplexity' && r.length === r.geometry.window);
  return atWindow.flatMap((row) => {
    const unscaled = atWindow.find((r) => r.entry === row.entry && r.method === 'none');
    if (row.method === 'none' || !unscaled) return [];
    const published = Math.log(row.low / unscaled.low);
    return [{ row, probe: parts.get(row)!.language, published, bound: row.high === Infinity }];
  });
}

async function reachRows(options: ValidateOptions) {
  const lengths = REACH_STEPS.map((m) => m * LLAMA1.window);
  const scalings = PUBLISHED_REACH.map(({ alpha }) => ({
    spec: { type: 'ntk', theta: LLAMA1.theta, rotaryDim: LLAMA1.headDim, alpha } as const,
    lengths: lengths.filter((n) => n <= 1.5 * alpha * LLAMA1.window),
  }));
  const answer = await probe({ geometry: LLAMA1, scalings }, options);
  return PUBLISHED_REACH.map((p, i) => ({ ...p, probe: answer.reach[i]! }));
}

/** Compares the probe, formulas and chance with published results. */
export async function validate(
  entries: readonly ResultEntry[],
  options: ValidateOptions,
): Promise<Validation> {
  const started = Date.now();
  const read = readResults(entries);
  const rows = read.rows.filter((row) => specOf(row) && formulaTerms(row));
  const { parts, members } = await measure(rows, options);
  const terms = new Map(rows.map((row) => [row, formulaTerms(row)!]));
  const byProbe: Family<number> = {
    grid: [0.2, 0, 0.02, 0.05, 0.1, 0.3, 0.5, 1, 2],
    predict: (row, weight) => parts.get(row)!.language + weight * parts.get(row)!.facts,
  };
  const byFormula: Family<Weights> = {
    grid: WEIGHT_GRID,
    predict: (row, weights) => formulaPrediction(terms.get(row)!, weights),
  };
  const formulaWeights = fit(rows, byFormula);
  const probePairs = pairs(
    rows.map((row) => ({ row, prediction: byProbe.predict(row, FACT_WEIGHT) })),
  );
  const formulaPairs = pairs(
    rows.map((row) => ({ row, prediction: byFormula.predict(row, formulaWeights) })),
  );
  const split = (list: readonly Pair[], entry: string) => {
    const mine = list.filter((p) => p.a.entry === entry);
    return { sameFactor: count(mine.filter((p) => p.sameFactor)), anyFactor: count(mine) };
  };
  const tables = [...new Set(rows.map((r) => r.entry))].map((entry) => ({
    entry,
    member: members.get(key(rows.find((r) => r.entry === entry)!.geometry))!.member,
    probe: split(probePairs, entry),
    formula: split(formulaPairs, entry),
  }));
  return {
    tables,
    disagreements: probePairs.filter((p) => !p.agrees),
    leaveOneOut: {
      probe: leaveOneFactorOut(rows, byProbe),
      formula: leaveOneFactorOut(rows, byFormula),
    },
    formulaWeights,
    byWeight: [...byProbe.grid]
      .sort((a, b) => a - b)
      .map((weight) => {
        const predicted = rows.map((row) => ({ row, prediction: byProbe.predict(row, weight) }));
        return { weight, agreement: count(pairs(predicted).filter((p) => p.sameFactor)) };
      }),
    short: shortRows(rows, parts),
    reach: await reachRows(options),
    unused: read.unused,
    seconds: (Date.now() - started) / 1000,
  };
}
