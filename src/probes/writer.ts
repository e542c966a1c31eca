import type { Language } from './language.js';
import type { Random } from './random.js';

/** Why a token is scored. */
export type Kind = 'fact' | 'language' | 'copy';

/** A token whose log-probability is asked for. */
export interface Scored {
  /** Index of the token itself; it is predicted from the row before it. */
  readonly index: number;
  readonly kind: Kind;
  /** Facts: tokens between the answer and the same value in the statement. */
  readonly distance?: number;
  /** Facts: number of the question it belongs to. */
  readonly question?: number;
  /** Language: nats that the source itself needs for this token, its past known; 0 elsewhere. */
  readonly surprise?: number;
}

/** What falls due later: a bracket's closing, a mention of the entity, a class's next topic. */
type Due =
  | { readonly kind: 'close'; readonly type: number }
  | { readonly kind: 'mention' }
  | { readonly kind: 'declare'; readonly group: number };

export interface Fact {
  readonly key: number;
  readonly values: readonly [number, number];
  /** Index of each value where the fact was stated. */
  at?: readonly [number, number];
}

/**
 * Writes running text of the probe language, token by token: the same process as
 * training/language.py, so that a probe model meets at evaluation what it met in training.
 */
export class Writer {
  readonly tokens: number[];
  /** Tokens before the text itself: the first one and the declarations. */
  readonly head: number;
  readonly scored: Scored[] = [];
  /** [from, to) of every statement and question, in order: no gap may fall inside. */
  readonly facts: { readonly from: number; readonly to: number; readonly asked: boolean }[] = [];
  #word: number;
  /** (classes) */
  readonly #topics: number[];
  #entity = 0;
  #pending: { due: number; what: Due }[] = [];

  constructor(
    readonly language: Language,
    readonly random: Random,
  ) {
    this.tokens = [language.tokens.bos];
    this.#word = random.below(language.tokens.content[1]);
    this.#topics = Array.from({ length: language.classes }, () => 0);
    for (const group of random.sample(language.classes, language.classes)) this.#declare(group);
    this.head = this.tokens.length;
  }

  get length(): number {
    return this.tokens.length;
  }

  #put(token: number, kind?: Kind, more?: Partial<Scored>): void {
    if (kind) this.scored.push({ ...more, index: this.tokens.length, kind });
    this.tokens.push(token);
  }

  /** Gives a class of content words its next topic. */
  #declare(group: number): void {
    const { tokens, topics, rates, lasting } = this.language;
    const topic = this.random.below(topics);
    this.#topics[group] = topic;
    this.#put(tokens.declare[0] + group * topics + topic);
    if (group >= lasting) this.#later(rates.topicRange, { kind: 'declare', group });
  }

  /** Drawn at random, so never scored: it would only add noise. */
  #functionWord(): void {
    const [first, count] = this.language.tokens.function;
    this.#put(first + this.random.below(count));
  }

  #contentWord(): void {
    const { rates, tokens, topicNext, successors, classes } = this.language;
    for (let i = 0; i < 2; i++) if (this.random.unit() < rates.functionWord) this.#functionWord();
    const byTopic = topicNext[this.#topics[this.#word % classes]!]![this.#word]!;
    const others = successors[this.#word]!;
    const p = this.random.unit();
    if (p < rates.topicWord) this.#word = byTopic;
    else if (p < rates.topicWord + rates.successor)
      this.#word = others[this.random.below(others.length)]!;
    else this.#word = this.random.below(tokens.content[1]);
    const probability =
      (this.#word === byTopic ? rates.topicWord : 0) +
      (others.includes(this.#word) ? rates.successor / others.length : 0) +
      (1 - rates.topicWord - rates.successor) / tokens.content[1];
    const surprise = -Math.log(probability);
    this.#put(tokens.content[0] + this.#word, 'language', { surprise });
  }

  #later(range: readonly [number, number], what: Due): void {
    this.#pending.push({ due: this.length + this.random.logUniform(...range), what });
  }

  #due(): boolean {
    const index = this.#pending.findIndex((p) => p.due <= this.length);
    if (index < 0) return false;
    const { what } = this.#pending[index]!;
    this.#pending.splice(index, 1);
    const { tokens } = this.language;
    // When a bracket closes is drawn at random, so a closer is not scored either.
    if (what.kind === 'close') this.#put(tokens.close[0] + what.type);
    else if (what.kind === 'declare') this.#declare(what.group);
    else {
      this.#put(tokens.entity);
      this.#put(tokens.name[0] + this.#entity, 'language');
    }
    return true;
  }

  /** One unit of running text: a word with its function words, a bracket or a mention. */
  text(): void {
    if (this.#due()) return;
    const { rates, tokens } = this.language;
    const p = this.random.unit();
    if (p < rates.bracket) {
      const type = this.random.below(tokens.open[1]);
      this.#put(tokens.open[0] + type);
      this.#later(rates.bracketRange, { kind: 'close', type });
    } else if (p < rates.bracket + rates.entity) {
      this.#entity = this.random.below(tokens.name[1]);
      this.#put(tokens.entity);
      this.#put(tokens.name[0] + this.#entity); // a new name cannot be foreseen
      for (let i = 0; i < 2; i++) this.#later(rates.entityRange, { kind: 'mention' });
    } else this.#contentWord();
  }

  #factTokens(fact: Fact, question?: number): [number, number] {
    const { tokens, rates } = this.language;
    const at: number[] = [];
    const from = this.length;
    this.#put(tokens.fact);
    this.#put(tokens.symbol[0] + fact.key);
    fact.values.forEach((value, i) => {
      const gap = this.random.between(0, i === 0 ? rates.keyGap : rates.valueGap);
      for (let g = 0; g < gap; g++) this.#functionWord();
      at.push(this.length);
      const token = tokens.symbol[0] + value;
      if (question === undefined) this.#put(token);
      else this.#put(token, 'fact', { distance: this.length - fact.at![i]!, question });
    });
    this.facts.push({ from, to: this.length, asked: question !== undefined });
    return at as [number, number];
  }

  /** States a fact and remembers where. */
  state(fact: Fact): void {
    fact.at = this.#factTokens(fact);
  }

  /** Asks for a fact stated before: its values are scored. */
  ask(fact: Fact, question: number): void {
    this.#factTokens(fact, question);
  }

  /** A run of symbols; `again`: it stood before, and all but its first symbol is scored. */
  run(symbols: readonly number[], again: boolean): void {
    symbols.forEach((s, i) =>
      this.#put(this.language.tokens.symbol[0] + s, again && i > 0 ? 'copy' : undefined),
    );
  }
}
