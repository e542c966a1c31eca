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
  readonly scored: Scored[] = [];
  /** [from, to) of every statement and question, in order: no gap may fall inside. */
  readonly facts: { readonly from: number; readonly to: number; readonly asked: boolean }[] = [];
  #word: number;
  #topic: number;
  #entity = 0;
  #pending: { due: number; close: number | undefined }[] = [];

  constructor(
    readonly language: Language,
    readonly random: Random,
  ) {
    this.tokens = [language.tokens.bos];
    this.#word = random.below(language.tokens.content[1]);
    this.#topic = random.below(language.topics);
  }

  get length(): number {
    return this.tokens.length;
  }

  #put(token: number, kind?: Kind, more?: Partial<Scored>): void {
    if (kind) this.scored.push({ ...more, index: this.tokens.length, kind });
    this.tokens.push(token);
    if (this.random.unit() < this.language.rates.topicChange)
      this.#topic = this.random.below(this.language.topics);
  }

  /** Drawn at random, so never scored: it would only add noise. */
  #functionWord(): void {
    const [first, count] = this.language.tokens.function;
    this.#put(first + this.random.below(count));
  }

  #contentWord(): void {
    const { rates, tokens, topicNext, successors } = this.language;
    for (let i = 0; i < 2; i++) if (this.random.unit() < rates.functionWord) this.#functionWord();
    const byTopic = topicNext[this.#topic]![this.#word]!;
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

  #later(range: readonly [number, number], close?: number): void {
    this.#pending.push({ due: this.length + this.random.logUniform(...range), close });
  }

  #due(): boolean {
    const index = this.#pending.findIndex((p) => p.due <= this.length);
    if (index < 0) return false;
    const { close } = this.#pending[index]!;
    this.#pending.splice(index, 1);
    const { tokens } = this.language;
    if (close !== undefined) this.#put(tokens.close[0] + close, 'language');
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
      this.#later(rates.bracketRange, type);
    } else if (p < rates.bracket + rates.entity) {
      this.#entity = this.random.below(tokens.name[1]);
      this.#put(tokens.entity);
      this.#put(tokens.name[0] + this.#entity); // a new name cannot be foreseen
      for (let i = 0; i < 2; i++) this.#later(rates.entityRange);
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
