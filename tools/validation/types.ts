/** The family of a published scaling, whatever its authors call it. */
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

/** Perplexity and loss: lower is better. Accuracy: higher is better. */
export type MetricKind = 'perplexity' | 'loss' | 'accuracy';

export interface Geometry {
  readonly rotaryDim: number;
  /** Share of each head that rotates. */
  readonly rotaryShare: number;
  readonly theta: number;
  /** Trained window, tokens. */
  readonly window: number;
}

/** A published figure that a predictor can be asked about. */
export interface Row {
  readonly entry: string;
  /** Rows are only compared within one series: table, metric, task, depth. */
  readonly series: string;
  readonly geometry: Geometry;
  readonly metric: MetricKind;
  readonly method: Method;
  /** Nominal extension; null if the scaling has none (a changed theta). */
  readonly factor: number | null;
  readonly params: Readonly<Record<string, unknown>>;
  /** Evaluated length, tokens. */
  readonly length: number;
  /**
   * Bounds of the published value, equal if it is exact. Loss is in nats, accuracy a share of 1. A
   * perplexity that overflowed is Infinity on both sides.
   */
  readonly low: number;
  readonly high: number;
}

/** A row that cannot be compared, and why. */
export interface Unused {
  readonly entry: string;
  readonly row: string;
  readonly reason: string;
}
