import type { Engine } from '../../engine/index.js';
import { resamples } from '../../probes/statistics.js';
import type { EncodingRow } from '../../report/encodings-schema.js';
import { JobList } from '../jobs.js';
import type { Sets } from '../sets.js';
import { summariseNeedle, summariseReach, windowedLoss, type Rung } from '../summary.js';
import type { RowPlan } from './plan.js';

/** Rows that run on the same weights; the first is what the others are measured against. */
export class RowGroup {
  readonly #jobs = new JobList();

  constructor(
    readonly plans: readonly RowPlan[],
    private readonly sets: Sets,
  ) {
    for (const { tables, head } of plans) {
      this.#jobs.add(sets.long, tables, head.label);
      this.#jobs.add(sets.longText, tables, head.label);
    }
    this.#jobs.add(sets.windows, this.#home.tables.slice(0, 1), this.#home.head.label);
  }

  get #home(): RowPlan {
    return this.plans[0]!;
  }

  get model(): string {
    return this.#home.head.model;
  }

  get tokens(): number {
    return this.#jobs.totalTokens;
  }

  /** @returns false where the signal stopped it */
  run(
    engine: Engine,
    onProgress: (done: number, label: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return this.#jobs.run(placed(engine, this.#home.place), onProgress, signal);
  }

  /** The finished rows. @param chance accuracy of guessing */
  rows(rungs: readonly Rung[], seed: number, chance: number): EncodingRow[] {
    const { long, longText, windows } = this.sets;
    const [facts, text] = [long, longText].map((set) =>
      this.#jobs.measurement(set, this.#home.tables),
    );
    const near = this.#jobs.measurement(windows, this.#home.tables.slice(0, 1));
    if (!facts || !text || !near) throw new Error(`${this.model} was not run to the end`);
    const windowed = windowedLoss(near, rungs.length);
    return this.plans.map(({ head, tables }) => {
      const shared = { rungs: rungs.slice(0, tables.length), home: 0 };
      const measuredFacts = {
        ...shared,
        set: long,
        draws: resamples(long.contexts.length, seed),
        reference: facts,
        measurement: this.#jobs.measurement(long, tables)!,
      };
      const measuredText = {
        ...shared,
        set: longText,
        draws: resamples(longText.contexts.length, seed),
        reference: text,
        measurement: this.#jobs.measurement(longText, tables)!,
        windowed,
      };
      const needle = summariseNeedle(measuredFacts, measuredText);
      const reach = summariseReach(measuredFacts);
      return {
        ...head,
        needle,
        // Half of nothing is soon kept.
        reach:
          needle[0]!.accuracy.low <= chance
            ? null
            : // A table that ends is a limit, not a ladder that was too short.
              { ...reach, censored: reach.censored && tables.length === rungs.length },
      };
    });
  }
}

/** An engine that tells the model of positions what its encoding tells. */
function placed(engine: Engine, place: RowPlan['place']): Engine {
  // A length has many batches.
  const known = new Map<number, ReturnType<RowPlan['place']>>();
  const placeOf = (length: number): ReturnType<RowPlan['place']> => {
    const found = known.get(length) ?? place(length);
    known.set(length, found);
    return found;
  };
  return {
    info: engine.info,
    lanes: engine.lanes ?? 1,
    run: (batch) => engine.run({ ...batch, place: placeOf(batch.length) }),
    close: () => engine.close(),
  };
}
