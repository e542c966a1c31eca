import type { Language } from '../probes/language.js';
import type { Measurement } from '../probes/measure.js';
import { resamples } from '../probes/statistics.js';
import { upToRung } from '../probes/up-to-rung.js';
import type { Rotation } from './cached.js';
import type { ContextSet, JobList } from './jobs.js';
import { drawContexts, longFacts, STREAM } from './sets.js';
import type { Measured } from './summary.js';

/**
 * Contexts of facts beyond the preset's own, for scalings whose verdict those leave open: drawn from
 * the same stream, so that a scaling is judged on the contexts that a bigger preset gives to all.
 * They end at the target, which is what the verdict is about.
 */
export class FurtherContexts {
  readonly #rounds: ContextSet[] = [];
  /** Rungs of the ladder that do not pass the target. */
  readonly #rungs: number;

  /**
   * @param own the preset's contexts on the ladder
   * @param target in probe tokens: a rung of the ladder
   * @param most contexts that a scaling gets in all
   */
  constructor(
    private readonly language: Language,
    private readonly own: ContextSet,
    target: number,
    private readonly most: number,
    private readonly seed: number,
  ) {
    this.#rungs = own.lengths.filter((tokens) => tokens <= target).length;
  }

  /** Twice as many contexts as so far; undefined: a scaling has had them all. */
  #next(): ContextSet | undefined {
    const sofar = [this.own, ...this.#rounds].reduce((sum, set) => sum + set.contexts.length, 0);
    if (sofar >= this.most) return undefined;
    const { lengths } = this.own;
    const last = this.#rungs - 1;
    const write = longFacts(this.language, lengths);
    const count = Math.min(sofar, this.most - sofar);
    const set: ContextSet = {
      name: `long from ${sofar}`,
      lengths: lengths.slice(0, this.#rungs),
      contexts: drawContexts(this.seed, STREAM.long, count, write, sofar).map((context) =>
        upToRung(context, last, lengths[last]!),
      ),
    };
    this.#rounds.push(set);
    return set;
  }

  /**
   * Asks for the next contexts.
   *
   * @param open (scalings) tables on the ladder
   * @returns false where nothing is open, or all contexts were given
   */
  ask(
    jobs: JobList,
    open: readonly { readonly label: string; readonly long: readonly Rotation[] }[],
  ): boolean {
    const set = open.length > 0 ? this.#next() : undefined;
    if (!set) return false;
    for (const { label, long } of open) jobs.add(set, long.slice(0, this.#rungs), label);
    return true;
  }

  /** A scaling on the preset's contexts, with all further ones that it was run on. */
  join(measured: Measured, jobs: JobList, tables: readonly Rotation[]): Measured {
    const measurement = this.measurement(measured.measurement, jobs, tables);
    const { contexts } = measurement;
    if (contexts.length === measured.measurement.contexts.length) return measured;
    return {
      ...measured,
      measurement,
      set: { ...measured.set, contexts },
      draws: resamples(contexts.length, this.seed),
    };
  }

  /** @param own on the preset's contexts */
  measurement(own: Measurement, jobs: JobList, tables: readonly Rotation[]): Measurement {
    let measurement = own;
    for (const set of this.#rounds) {
      const more = jobs.measurement(set, tables.slice(0, this.#rungs));
      if (!more) break;
      measurement = {
        contexts: [...measurement.contexts, ...more.contexts],
        // Beyond the target they have nothing to score, so any scores will do there.
        at: measurement.at.map((scores, r) => [...scores, ...(more.at[r] ?? more.at.at(-1)!)]),
      };
    }
    return measurement;
  }
}
