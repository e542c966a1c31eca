import { RopeEvalError } from '../../src/errors.js';
import { specOf } from './specs.js';
import type { Row } from './types.js';

/** Predicts the value of a row; lower = better. */
export type Predict = (row: Row) => number;

/** Names a row's scaling for output and errors: `yarn:4`. */
export function scalingName({ method, factor, params }: Row): string {
  if (method === 'none') return method;
  if (method === 'theta') return `theta:${String(params['theta'])}`;
  return factor === null ? method : `${method}:${Number(factor.toFixed(3))}`;
}

/**
 * Calls a predictor for a row. Everything that counts, averages or compares predictions must use
 * this function, because NaN would count as neither agreement nor disagreement.
 *
 * @throws RopeEvalError (exit 3) with the name of the row if the prediction is not finite
 */
export function told(predict: Predict, row: Row): number {
  const value = predict(row);
  if (Number.isFinite(value)) return value;
  throw new RopeEvalError('not_measured', {
    problem: `the prediction for ${scalingName(row)} at ${row.length} tokens (${row.entry}) is ${value}: nothing was measured there`,
  });
}

/** Two perplexities clearly differ if one is more than this many times the other. */
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
      // Two seeds of one scaling, or a dynamic scaling without effect, are not a choice between
      // scalings.
      if (scaling.get(a) === scaling.get(b)) continue;
      const order = publishedOrder(a, b);
      if (order === 0) continue;
      out.push({ a, b, order, sameFactor: a.factor !== null && a.factor === b.factor });
    }
  });
  return out;
}

export function agrees({ a, b, order }: Pair, predict: Predict): boolean {
  return Math.sign(told(predict, a) - told(predict, b)) === order;
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

/** Published loss change of a scaling within the trained window, relative to the unscaled model. */
export interface PublishedChange {
  readonly row: Row;
  /** Nats: the difference of losses, or ln of the ratio of perplexities. */
  readonly nats: number;
  /** Whether the published value is a lower bound. */
  readonly bound: boolean;
}

/**
 * Finds every scaled row up to the window's length whose series has an exact value of the unscaled
 * model at that length.
 */
export function publishedChanges(rows: readonly Row[]): PublishedChange[] {
  const within = rows.filter(
    (r) => r.metric !== 'accuracy' && r.length <= r.geometry.window && Number.isFinite(r.low),
  );
  return within.flatMap((row) => {
    const unscaled = within.find(
      (r) =>
        r.series === row.series &&
        r.length === row.length &&
        r.method === 'none' &&
        r.low === r.high,
    );
    // A dynamic scaling has no effect within the window.
    if (!unscaled || row.method === 'none' || row.method.startsWith('dynamic')) return [];
    const nats = row.metric === 'loss' ? row.low - unscaled.low : Math.log(row.low / unscaled.low);
    return [{ row, nats, bound: row.high === Infinity }];
  });
}

/** Smaller published changes are within their own rounding, so their ratios mean nothing. */
const SMALLEST = 0.003;

const sizeable = (changes: readonly PublishedChange[]): PublishedChange[] =>
  changes.filter((c) => c.nats >= SMALLEST);

/** Predicted / published; null where the published change is too small for a ratio. */
export function changeRatio(change: PublishedChange, predicted: number): number | null {
  return change.nats >= SMALLEST ? predicted / change.nats : null;
}

/** Counts predictions within a factor of two. Predictions above a lower bound always count. */
export function withinTwo(changes: readonly PublishedChange[], predict: Predict): Agreement {
  const within = sizeable(changes).filter((c) => {
    const ratio = told(predict, c.row) / c.nats;
    return ratio >= 0.5 && (c.bound || ratio <= 2);
  });
  return { agree: within.length, total: sizeable(changes).length };
}

/** Sum of squared ln ratios. A prediction above a lower bound is not an error. */
export function changeError(changes: readonly PublishedChange[], predict: Predict): number {
  return sizeable(changes).reduce((sum, c) => {
    const error = Math.log(Math.max(told(predict, c.row), 1e-9) / c.nats);
    return sum + (c.bound && error > 0 ? 0 : error * error);
  }, 0);
}
