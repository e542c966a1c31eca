import type { Row } from './results.js';

/** A row with what a predictor says: lower = better. */
export interface Predicted {
  readonly row: Row;
  readonly prediction: number;
}

/** -1: a is better by more than the published noise; 1: b is; 0: no clear difference. */
export function publishedOrder(a: Row, b: Row): -1 | 0 | 1 {
  const better = (x: Row, y: Row): boolean => {
    switch (x.metric) {
      case 'perplexity': // 10 % of the smaller value
        return x.high * 1.1 < y.low;
      case 'loss':
        return x.high + 0.1 < y.low;
      case 'accuracy': {
        const points = Math.max(x.low, y.low, y.high) > 1.5 ? 10 : 0.1;
        return x.low > y.high + points;
      }
    }
  };
  return better(a, b) ? -1 : better(b, a) ? 1 : 0;
}

export interface Pair {
  readonly a: Row;
  readonly b: Row;
  readonly agrees: boolean;
  /** Kind of comparison: the same factor, or different ones (or the unscaled model). */
  readonly sameFactor: boolean;
}

/** All pairs of one table at one length whose published values clearly differ. */
export function pairs(predicted: readonly Predicted[]): Pair[] {
  const out: Pair[] = [];
  predicted.forEach((x, i) => {
    for (const y of predicted.slice(i + 1)) {
      if (x.row.entry !== y.row.entry || x.row.length !== y.row.length) continue;
      const order = publishedOrder(x.row, y.row);
      if (order === 0) continue;
      const agrees = Math.sign(x.prediction - y.prediction) === order;
      out.push({ a: x.row, b: y.row, agrees, sameFactor: x.row.factor === y.row.factor });
    }
  });
  return out;
}

export interface Agreement {
  readonly agree: number;
  readonly total: number;
}

export function count(list: readonly Pair[]): Agreement {
  return { agree: list.filter((p) => p.agrees).length, total: list.length };
}

/** Kendall's tau over clearly different pairs: (agreeing - disagreeing) / all. */
export function kendallTau({ agree, total }: Agreement): number | null {
  return total === 0 ? null : (2 * agree - total) / total;
}
