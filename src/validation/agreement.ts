import { specOf } from './specs.js';
import type { Row } from './types.js';

/** What a predictor says of a row: lower = better. */
export type Predict = (row: Row) => number;

/** Perplexities clearly differ where one is more than this many times the other. */
export const CLEAR_RATIO = 1.1;

/** -1: a is better by more than the published noise; 1: b is; 0: no clear difference. */
export function publishedOrder(a: Row, b: Row): -1 | 0 | 1 {
  const better = (x: Row, y: Row): boolean => {
    switch (x.metric) {
      case 'perplexity':
        return x.high * CLEAR_RATIO < y.low;
      case 'loss':
        return x.high + 0.1 < y.low;
      case 'accuracy':
        return x.low > y.high + 0.1;
    }
  };
  return better(a, b) ? -1 : better(b, a) ? 1 : 0;
}

/** Two scalings of one series at one length whose published values clearly differ. */
export interface Pair {
  readonly a: Row;
  readonly b: Row;
  readonly order: -1 | 1;
  readonly sameFactor: boolean;
}

export function pairs(rows: readonly Row[]): Pair[] {
  const scaling = new Map(rows.map((row) => [row, JSON.stringify(specOf(row))]));
  const out: Pair[] = [];
  rows.forEach((a, i) => {
    for (const b of rows.slice(i + 1)) {
      if (a.series !== b.series || a.length !== b.length) continue;
      // Two seeds, or a dynamic scaling where it does nothing: no choice between scalings.
      if (scaling.get(a) === scaling.get(b)) continue;
      const order = publishedOrder(a, b);
      if (order === 0) continue;
      out.push({ a, b, order, sameFactor: a.factor !== null && a.factor === b.factor });
    }
  });
  return out;
}

export function agrees({ a, b, order }: Pair, predict: Predict): boolean {
  return Math.sign(predict(a) - predict(b)) === order;
}

export interface Agreement {
  readonly agree: number;
  readonly total: number;
}

export function count(list: readonly Pair[], predict: Predict): Agreement {
  return { agree: list.filter((pair) => agrees(pair, predict)).length, total: list.length };
}

export function add(list: readonly Agreement[]): Agreement {
  return list.reduce((a, x) => ({ agree: a.agree + x.agree, total: a.total + x.total }), {
    agree: 0,
    total: 0,
  });
}

/** Kendall's tau over clearly different pairs: (agreeing - disagreeing) / all. */
export function kendallTau({ agree, total }: Agreement): number | null {
  return total === 0 ? null : (2 * agree - total) / total;
}
