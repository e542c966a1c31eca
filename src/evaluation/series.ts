import type { Measurement } from '../probes/measure.js';
import type { Treatment } from '../subjects/subject.js';
import type { Asked, ContextSet, QuestionList } from './questions.js';

/** Shares of a preset's contexts after which a run checks what it knows. */
const SHARES = Object.freeze([1 / 4, 1 / 2, 1]);

/** Contexts of one kind, in portions that are asked one after the other until enough is known. */
export interface Series {
  /** Portions of the preset's contexts; further ones may follow. */
  readonly portions: ContextSet[];
  /** Numbers of portions that make a quarter, half and all of the preset's contexts. */
  readonly upTo: Readonly<Record<'quarter' | 'half' | 'whole', number>>;
}

/**
 * Divides a set into portions.
 *
 * @param group number of consecutive contexts that belong together, such as the rungs of one text
 */
export function divide(set: ContextSet, group = 1): Series {
  const { name, lengths, contexts } = set;
  const count = contexts.length / group;
  const ends = SHARES.map((share) => Math.ceil(share * count));
  const cuts = [...new Set(ends)].filter((end) => end > 0);
  const portions = cuts.map((end, i): ContextSet => {
    const from = cuts[i - 1] ?? 0;
    return {
      name: from === 0 ? name : `${name} from ${from}`,
      lengths,
      contexts: contexts.slice(from * group, end * group),
    };
  });
  const [quarter, half, whole] = ends.map((end) => cuts.indexOf(end) + 1);
  return { portions, upTo: { quarter: quarter!, half: half!, whole: whole! } };
}

/** Makes a series of one portion. */
export function undivided(set: ContextSet): Series {
  return { portions: [set], upTo: { quarter: 1, half: 1, whole: 1 } };
}

/** A series under the treatments of one variant, with what was asked and answered. */
export class AskedSeries {
  readonly #asked: Asked[] = [];

  /** @param treatments one per rung */
  constructor(
    private readonly questions: QuestionList,
    readonly series: Series,
    readonly treatments: readonly Treatment[],
    private readonly label: string,
  ) {}

  /** Asks the first `portions` portions, except those that were asked already. */
  ask(portions: number): void {
    for (const set of this.series.portions.slice(this.#asked.length, portions))
      this.#asked.push(
        // A portion may end at a shorter rung than the others do.
        this.questions.ask(set, this.treatments.slice(0, set.lengths.length), this.label),
      );
  }

  /** Portions asked so far. */
  get portions(): number {
    return this.#asked.length;
  }

  /** Whether everything that was asked has been answered. */
  get answered(): boolean {
    return this.#asked.every(({ questions }) => questions.every(({ scores }) => scores));
  }

  /** Units of work that the portions up to a share would add. */
  workUpTo(share: keyof Series['upTo']): number {
    const { portions, upTo } = this.series;
    const open = portions.slice(this.#asked.length, upTo[share]);
    return open.reduce((sum, set) => sum + this.workOf(set), 0);
  }

  /** Units of work of one portion. One pass over the longest length also answers shorter ones. */
  workOf(set: ContextSet): number {
    const lengths = new Map<Treatment, number>();
    set.lengths.forEach((length, rung) => {
      const treatment = this.treatments[rung];
      if (treatment) lengths.set(treatment, length);
    });
    return [...lengths.values()].reduce((sum, at) => sum + this.questions.workAt(set, at), 0);
  }

  /** The answers on the portions that are complete; undefined if there are none. */
  measurement(): Measurement | undefined {
    const parts = this.#asked.map((asked) => this.questions.measurement(asked));
    const missing = parts.indexOf(undefined);
    const answered = parts.slice(0, missing < 0 ? undefined : missing) as Measurement[];
    const [first, ...more] = answered;
    return first && more.reduce(join, first);
  }
}

function join(a: Measurement, b: Measurement): Measurement {
  return {
    ...a,
    contexts: [...a.contexts, ...b.contexts],
    // A portion that ends at a shorter rung has no questions beyond it, so any scores may stand
    // there.
    at: a.at.map((scores, rung) => [...scores, ...(b.at[rung] ?? b.at.at(-1)!)]),
  };
}
