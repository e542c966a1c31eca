import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  type Context,
  type FactPlan,
  type Item,
  type TextPlan,
  type TextSource,
  type Turn,
  TURNS,
} from '../../probes/contexts.js';
import { Random } from '../../probes/random.js';
import { errors } from './refusals.js';

/** What contexts need from a tokenizer. */
export interface TextTokenizer {
  /** Returns the ids of a text, without special tokens. */
  encode(text: string): readonly number[];
  /** The ids with which every context of the model begins. */
  readonly first: readonly number[];
}

/** Sentences and facts in the tokens of a user's model. */
interface Material {
  readonly tokenizer: TextTokenizer;
  /** The sentences in the order of their documents, each with the space or line break before it. */
  readonly sentences: readonly (readonly number[])[];
  /** Words that are a single token after a space; they serve as answers. */
  readonly values: readonly number[];
  /** The tokens of the longest statement, and of the longest question. */
  readonly room: number;
}

/** The fewest words that must be a single token. With fewer, an answer is too easy to guess. */
const LEAST_VALUES = 40;
const COPY_TOKENS = 10;

interface Scored extends Pick<Item, 'kind' | 'rung' | 'distance'> {
  readonly index: number;
}

/** A fact of a context, about something such as `the silver lantern`. */
interface Fact {
  readonly name: string;
  readonly value: number;
  /** The index of the value in the statement. */
  at?: number;
}

/**
 * Writes running text and facts in the tokens of a user's own tokenizer. Every fact is a sentence
 * of the same form, which ends in a word of one token. Repeating the beginning of the sentence at
 * the end of the context asks for that word. Each fact that is asked for has a distractor beside
 * it: a fact of the same form that is not asked for.
 */
export class TokenizedTexts implements TextSource {
  readonly keys = ADJECTIVES.length * NOUNS.length;
  readonly #material: Material;

  /**
   * @param documents texts, in the order in which they are read
   * @throws RopeEvalError `text_values` if the tokenizer splits too many of the answers,
   *   `text_short` if there is no text
   */
  constructor(tokenizer: TextTokenizer, documents: readonly string[]) {
    const values = VALUES.map((word) => tokenizer.encode(` ${word}`)).flatMap((ids) =>
      ids.length === 1 ? [ids[0]!] : [],
    );
    if (values.length < LEAST_VALUES) throw errors.values(values.length, VALUES.length);
    // An empty line separates one document from the next.
    const sentences = documents.flatMap((text) =>
      sentencesOf(`\n\n${text.trim()}`)
        .map((sentence) => tokenizer.encode(sentence))
        .filter((ids) => ids.length > 0),
    );
    if (sentences.length === 0) throw errors.text(0, 1);
    const longest = (words: readonly string[], name: (word: string) => string): number =>
      Math.max(...words.map((word) => tokenizer.encode(begun(name(word))).length));
    // The two words of a name are tokenised separately, so the longest name is the longest of each.
    const plain = tokenizer.encode(begun('red lamp')).length;
    const room =
      longest(ADJECTIVES, (word) => `${word} lamp`) +
      longest(NOUNS, (word) => `red ${word}`) -
      plain +
      1 +
      tokenizer.encode(END).length;
    this.#material = { tokenizer, values: [...new Set(values)], sentences, room };
  }

  /** The hash of the tokens of all documents, because other texts are other questions. */
  get sha256(): string {
    const hash = createHash('sha256');
    for (const sentence of this.#material.sentences) hash.update(Int32Array.from(sentence));
    return hash.digest('hex');
  }

  /** The highest token id in any context. */
  get highest(): number {
    const { sentences, values } = this.#material;
    return [...sentences, values].reduce(
      (most, ids) => ids.reduce((a, b) => (b > a ? b : a), most),
      0,
    );
  }

  /** Returns token `index` of the running text. */
  token(index: number): number {
    const { sentences } = this.#material;
    const ids = sentences[index % sentences.length]!;
    return ids[index % ids.length]!;
  }

  /**
   * Checks that facts and questions fit into the shortest rung.
   *
   * @param tokens of the shortest rung that is asked
   * @throws RopeEvalError `window_too_short` if they do not
   */
  assertRoom(tokens: number, questions: number): void {
    const least = 2 * this.#material.room * questions;
    if (tokens < least) throw errors.window(tokens, least);
  }

  /** The number of tokens in all documents. Longer contexts read them again. */
  get tokens(): number {
    return this.#material.sentences.reduce((sum, s) => sum + s.length, 0);
  }

  /** @throws RopeEvalError `text_short` if there are fewer tokens than this */
  assertEnough(least: number): void {
    if (this.tokens < least) throw errors.text(this.tokens, least);
  }

  facts(plan: FactPlan, seed: number, index: number): Context {
    return new ContextWriter(this.#material, Random.stream(seed, index)).facts(plan);
  }

  text(plan: TextPlan, seed: number, index: number): Context {
    return new ContextWriter(this.#material, Random.stream(seed, index)).text(plan);
  }
}

/** Returns a statement up to its answer, which is also the question. */
const begun = (name: string): string => `\nThe code of the ${name} is`;
const END = '.\n';

/** Splits a text into sentences that keep what stands before them, so that none of it is lost. */
function sentencesOf(text: string): string[] {
  return text.match(/\s*[^\n]*?(?:[.!?;:{}]["’”)]?(?=\s|$)|\n|$)/gu)?.filter((s) => s.trim()) ?? [];
}

class ContextWriter {
  readonly #tokens: number[];
  readonly #scored: Scored[] = [];
  readonly #spans: { from: number; to: number; asked: boolean }[] = [];
  #next: number;

  constructor(
    private readonly material: Material,
    private readonly random: Random,
  ) {
    this.#tokens = [...material.tokenizer.first];
    this.#next = random.below(material.sentences.length);
  }

  get #length(): number {
    return this.#tokens.length;
  }

  text({ rungs, span }: TextPlan): Context {
    const last = rungs.at(-1)!;
    this.#fill(last + 1);
    for (let index = 1; index <= last; index++)
      rungs.forEach((end, rung) => {
        if (index <= end && index > end - span)
          this.#scored.push({ index, kind: 'language', rung, distance: 0 });
      });
    return this.#finish(rungs, 0);
  }

  facts({ rungs, questionsPerRung, copies }: FactPlan): Context {
    const names = this.#names(2 * rungs.length * questionsPerRung);
    const { values, room } = this.material;
    const fact = (): Fact => ({
      name: names.pop()!,
      value: values[this.random.below(values.length)]!,
    });
    const block = room * questionsPerRung;
    const blocks = rungs.map((end) => {
      const start = end - block;
      if (start < block) throw errors.window(end, 2 * block);
      const slots = Array.from({ length: questionsPerRung }, (_, k) => {
        const distance = ((k + this.random.unit()) / questionsPerRung) * end;
        return { due: Math.min(start - room, start + room * k - distance), fact: fact() };
      });
      return { start, slots };
    });
    const queue = blocks.flatMap((b) => b.slots).sort((a, b) => a.due - b.due);
    blocks.forEach(({ start, slots }, rung) => {
      const unstated = () => slots.filter((slot) => slot.fact.at === undefined);
      const run = Array.from(
        { length: COPY_TOKENS },
        () => values[this.random.below(values.length)]!,
      );
      const from = this.#length;
      const starts = [
        from + Math.floor((start - from) * 0.3 * this.random.unit()),
        start - COPY_TOKENS - 2 * room - this.random.below(room),
      ];
      let runs = copies ? 0 : TURNS.length;
      const kept = (): number =>
        2 * room * (unstated().length + 1) + (TURNS.length - runs) * COPY_TOKENS;
      // This leaves room for the facts that must be stated before they are asked.
      while (this.#length < start - kept()) {
        if (this.#length >= (starts[runs] ?? Infinity)) this.#run(run, rung, TURNS[runs++]!);
        else if (queue.length > 0 && queue[0]!.due <= this.#length) {
          this.#state(queue.shift()!.fact);
          this.#state(fact()); // A distractor.
        } else this.#sentence();
      }
      while (runs < TURNS.length) this.#run(run, rung, TURNS[runs++]!);
      for (const slot of unstated()) {
        this.#state(slot.fact);
        queue.splice(queue.indexOf(slot), 1);
      }
      this.#fill(start);
      for (const slot of slots) this.#ask(slot.fact, rung);
    });
    return this.#finish(rungs, 1 / Math.max(1, new Set(this.#stated).size));
  }

  readonly #stated: number[] = [];

  #names(count: number): string[] {
    const all = this.random.sample(ADJECTIVES.length * NOUNS.length, count);
    return all.map(
      (n) => `${ADJECTIVES[n % ADJECTIVES.length]!} ${NOUNS[Math.floor(n / ADJECTIVES.length)]!}`,
    );
  }

  #put(ids: readonly number[]): void {
    this.#tokens.push(...ids);
  }

  #sentence(): void {
    this.#put(this.material.sentences[this.#next]!);
    this.#next = (this.#next + 1) % this.material.sentences.length;
  }

  /** Writes running text up to exactly `length` tokens. */
  #fill(length: number): void {
    while (this.#length < length) this.#sentence();
    this.#tokens.length = length;
  }

  #state(fact: Fact): void {
    fact.at = this.#fact(fact, 'stated');
    this.#stated.push(fact.value);
  }

  #ask(fact: Fact, rung: number): void {
    const index = this.#fact(fact, 'asked');
    this.#scored.push({ index, kind: 'fact', rung, distance: index - fact.at! });
  }

  /** Writes the sentence of a fact. @returns the index of its value */
  #fact({ name, value }: Fact, how: 'stated' | 'asked'): number {
    const { tokenizer } = this.material;
    const from = this.#length;
    this.#put(tokenizer.encode(begun(name)));
    const index = this.#length;
    this.#put([value, ...tokenizer.encode(END)]);
    this.#spans.push({ from, to: this.#length, asked: how === 'asked' });
    return index;
  }

  /** Writes a run of words. When it is written again, all but its first word are scored. */
  #run(values: readonly number[], rung: number, turn: Turn): void {
    values.forEach((value, i) => {
      if (turn === 'again' && i > 0)
        this.#scored.push({ index: this.#length, kind: 'copy', rung, distance: 0 });
      this.#put([value]);
    });
  }

  #finish(rungs: readonly number[], chance: number): Context {
    const last = rungs.at(-1)!;
    this.#fill(last + 1);
    const kept = this.#scored.filter((s) => s.index <= last).sort((a, b) => a.index - b.index);
    return {
      tokens: this.#tokens.slice(0, last),
      head: this.material.tokenizer.first.length,
      rows: kept.map((s) => s.index - 1),
      targets: kept.map((s) => this.#tokens[s.index]!),
      items: kept.map(({ kind, rung, distance }): Item => ({
        kind,
        rung,
        distance,
        share: distance / rungs[rung]!,
        surprise: 0,
      })),
      chance,
      facts: this.#spans,
    };
  }
}

/**
 * The words of the facts. A name is an adjective and a noun. Answers are common words, most of
 * which are one token in any English vocabulary.
 */
const list = (words: string): readonly string[] => Object.freeze(words.trim().split(/\s+/));

export const ADJECTIVES = list(`
  amber ancient bitter blue brass bright broken carved cedar clay copper crimson dusty early empty
  faded frozen gilded golden green grey heavy hidden hollow iron ivory late little locked lost marble
  narrow northern old painted pale quiet red round rusty scarlet secret silent silver slender small
  southern steel stone striped tall velvet violet western white winter wooden yellow young
`);

export const NOUNS = list(`
  anchor archive barrel basket bell boat bottle bridge cabin cabinet camera candle carpet castle chapel
  clock coat compass cottage drum engine falcon farm ferry fiddle fountain garden gate glove hammer
  harbour hat helmet horse island jacket kettle kitchen ladder lamp lantern library lighthouse mill
  mirror museum needle oven parcel pillow pocket quarry ring saddle school shelf ship shovel station
  stove tower trumpet tunnel umbrella vault violin wagon wheel window workshop
`);

export const VALUES = list(`
  air animal apple arm army art baby ball bank bar base beach bear bed bird blood board body bone book
  box boy bread brother bus cake camp car card cat cell chair chance child church circle city class
  cloud club coast coffee cold color corn country cow cup dance day deal desk dog door dream dress
  drink earth east edge egg energy evening eye face family farm father fear field fire fish flag floor
  flower food foot forest friend fruit game gas gift girl glass gold grass guard gun hair hall hand
  head heart heat hill history hole home hope horse hotel hour house ice iron key king kitchen lake
  land law leaf leg letter life light line lion list love machine mail map market meal meat milk mind
  minute moment money month moon morning mother mountain mouth movie music name neck news night noise
  north nose number ocean office oil paper park party peace pen people person phone picture plan plane
  plant plate poem point police pool power price prison queen race radio rain reason rice ring river
  road rock role roof room rose rule salt sand school sea season seat seed shape ship shirt shoe shop
  show sign silver sister size skin sky sleep smile snow soil song sound soup south space spring square
  staff stage star state steel step stone storm story street sugar summer sun table tail tea team
  thing time tool top tower town toy train tree truth uncle valley village voice wall war watch water
  wave west wheel wind window wine wing winter wolf woman wood word work world year youth zero
`);

/** The folder of texts that were written for this project (texts/README.md). */
const FOLDER = fileURLToPath(new URL('../../../texts/', import.meta.url));

/** Reads the bundled texts in the order of their names, one per document. */
export async function bundledTexts(): Promise<string[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.txt')).sort();
  return Promise.all(names.map((name) => readFile(`${FOLDER}${name}`, 'utf8')));
}
