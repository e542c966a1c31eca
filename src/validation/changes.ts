import type { Agreement, Predict } from './agreement.js';
import type { Row } from './types.js';

/** Published loss change of a scaling within the trained window, against the unscaled model. */
export interface PublishedChange {
  readonly row: Row;
  /** Nats: difference of losses, or ln of the ratio of perplexities. */
  readonly nats: number;
  /** The published value is a lower bound. */
  readonly bound: boolean;
}

/** Every scaled row at 1x whose series has the unscaled model there, with a value of its own. */
export function publishedChanges(rows: readonly Row[]): PublishedChange[] {
  const atWindow = rows.filter(
    (r) => r.metric !== 'accuracy' && r.length === r.geometry.window && Number.isFinite(r.low),
  );
  return atWindow.flatMap((row) => {
    const unscaled = atWindow.find(
      (r) => r.series === row.series && r.method === 'none' && r.low === r.high,
    );
    // A dynamic scaling does nothing yet.
    if (!unscaled || row.method === 'none' || row.method.startsWith('dynamic')) return [];
    const nats = row.metric === 'loss' ? row.low - unscaled.low : Math.log(row.low / unscaled.low);
    return [{ row, nats, bound: row.high === Infinity }];
  });
}

/** Below this a published change is within its own rounding: a ratio says nothing. */
const SMALLEST = 0.003;

const told = (changes: readonly PublishedChange[]): PublishedChange[] =>
  changes.filter((c) => c.nats >= SMALLEST);

/** Predicted / published; null where the published change is too small for a ratio. */
export function changeRatio(change: PublishedChange, predicted: number): number | null {
  return change.nats >= SMALLEST ? predicted / change.nats : null;
}

/** How many predictions lie within a factor of two; above a lower bound all do. */
export function withinTwo(changes: readonly PublishedChange[], predict: Predict): Agreement {
  const within = told(changes).filter((c) => {
    const ratio = predict(c.row) / c.nats;
    return ratio >= 0.5 && (c.bound || ratio <= 2);
  });
  return { agree: within.length, total: told(changes).length };
}

/** Sum of squared ln ratios; a prediction above a lower bound is no error. */
export function changeError(changes: readonly PublishedChange[], predict: Predict): number {
  return told(changes).reduce((sum, c) => {
    const error = Math.log(Math.max(predict(c.row), 1e-9) / c.nats);
    return sum + (c.bound && error > 0 ? 0 : error * error);
  }, 0);
}
