import { RopeEvalError } from '../errors.js';
import type { Language } from './language.js';
import { Random } from './random.js';

/** Writes contexts in a subject's own tokens. Equal seeds and indices give equal contexts. */
export interface TextSource {
  /** How many different facts fit into one context. */
  readonly keys: number;
  /** Writes running text with facts, which are asked at the end of every rung. */
  facts(plan: FactPlan, seed: number, index: number): Context;
  /** Writes running text without facts. */
  text(plan: TextPlan, seed: number, index: number): Context;
}

/** Makes the texts of the probe models' language. */
export function languageTexts(language: Language): TextSource {
  return {
    keys: language.tokens.symbol[1],
    facts: (plan, seed, index) => writeFacts({ language, ...plan }, seed, index),
    text: (plan, seed, index) => writeText({ language, ...plan }, seed, index),
  };
}

/** What a scored token measures. */
export type Kind = 'fact' | 'language' | 'copy';

/** A token whose log-probability is measured. */
export interface Scored {
  /** The index of the token itself. It is predicted from the row before. */
  readonly index: number;
  readonly kind: Kind;
  /** For facts: the tokens between the answer and the same value in the statement. */
  readonly distance?: number;
  /** For facts: the number of the question that the token belongs to. */
  readonly question?: number;
  /** For language: the token's surprise in nats under the text's own source. Elsewhere 0. */
  readonly surprise?: number;
}

/** What must come later: a closing bracket, a mention of the entity, or a class's next topic. */
type Due =
  | { readonly kind: 'close'; readonly type: number }
  | { readonly kind: 'mention' }
  | { readonly kind: 'declare'; readonly group: number };

/** A fact: a key with two values. */
export interface Fact {
  readonly key: number;
  readonly values: readonly [number, number];
  /** The index of each value in the statement. */
  at?: readonly [number, number];
}

/**
 * Writes running text of the probe language token by token. It is the same process as in
 * training/language.py, so a probe model is evaluated on the kind of text that it was trained on.
 */
class Writer {
  readonly tokens: number[];
  /** The number of tokens before the text itself: the first token and the declarations. */
  readonly head: number;
  readonly scored: Scored[] = [];
  /** [from, to) of every statement and question. No gap in the positions may fall inside one. */
  readonly facts: { readonly from: number; readonly to: number; readonly asked: boolean }[] = [];
  #word: number;
  /** (classes,) the current topic of each. */
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

  /** Writes a function word. It is drawn at random, so scoring it would only add noise. */
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
    // A closing bracket is not scored either, because its place is drawn at random.
    if (what.kind === 'close') this.#put(tokens.close[0] + what.type);
    else if (what.kind === 'declare') this.#declare(what.group);
    else {
      this.#put(tokens.entity);
      this.#put(tokens.name[0] + this.#entity, 'language');
    }
    return true;
  }

  /** Writes one unit of running text: a word with its function words, a bracket or a mention. */
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
      this.#put(tokens.name[0] + this.#entity); // A new name cannot be predicted.
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

  state(fact: Fact): void {
    fact.at = this.#factTokens(fact);
  }

  /** Asks for a fact that was stated before. Its values are scored. */
  ask(fact: Fact, question: number): void {
    this.#factTokens(fact, question);
  }

  /** Writes a run of symbols. When it is written again, all but its first symbol are scored. */
  run(symbols: readonly number[], turn: Turn): void {
    symbols.forEach((s, i) =>
      this.#put(this.language.tokens.symbol[0] + s, turn === 'again' && i > 0 ? 'copy' : undefined),
    );
  }
}

/** A run that is copied is written twice before each rung. */
export const TURNS = ['first', 'again'] as const;
export type Turn = (typeof TURNS)[number];

/** The longest question: marker, key, up to three function words, two values. */
const QUESTION_TOKENS = 7;
/** A unit of text ends at most this many tokens after its start. */
const UNIT_TOKENS = 4;
const RUN_TOKENS = 10;

/** One scored token of a context, in the order of `Context.targets`. */
export interface Item {
  readonly kind: Kind;
  /** The rung (index into the ladder) at whose length the token is read. */
  readonly rung: number;
  /** For facts: tokens from the statement to the answer. */
  readonly distance: number;
  /** For facts: the same distance as a share of the text up to the end of the questions, 0..1. */
  readonly share: number;
  /** For language: the surprise of the token under the text's own source, in nats. */
  readonly surprise: number;
}

/** A seeded text with questions at every rung. It is the same for every scaling. */
export interface Context {
  readonly tokens: readonly number[];
  /** How many tokens at the start declare what holds for the whole document. */
  readonly head: number;
  /** The row from which each scored token is predicted. */
  readonly rows: readonly number[];
  readonly targets: readonly number[];
  readonly items: readonly Item[];
  /** The accuracy of guessing among the values that occur in the context. */
  readonly chance: number;
  /** [from, to) of every statement and question. */
  readonly facts: Writer['facts'];
  /** The position of each token; absent: its index. */
  readonly positions?: readonly number[];
}

/** What running text without facts should contain. */
export interface TextPlan {
  /** Lengths in tokens of the subject, ascending. */
  readonly rungs: readonly number[];
  /** In tokens: text this close below a rung counts as text at that length. */
  readonly span: number;
}

/** What running text with facts should contain. */
export interface FactPlan {
  /** Lengths in tokens of the subject at which questions end, ascending. */
  readonly rungs: readonly number[];
  readonly questionsPerRung: number;
  /** Whether a verbatim copy precedes each rung as well. */
  readonly copies: boolean;
}

interface InLanguage {
  readonly language: Language;
}

interface Slot {
  readonly due: number;
  readonly fact: Fact;
}

/**
 * Writes running text with facts, which are asked at the end of every rung.
 *
 * The facts of each rung are stated at stratified depths. Each is asked once, at its rung, nearest
 * first. A decoder's row depends only on the text before it, so one pass over the longest context
 * serves every shorter length too.
 */
export function writeFacts(
  { language, ...plan }: FactPlan & InLanguage,
  seed: number,
  index: number,
): Context {
  const random = Random.stream(seed, index);
  const writer = new Writer(language, random);
  const symbols = language.tokens.symbol[1];
  const keys = random.sample(symbols, plan.rungs.length * plan.questionsPerRung);
  const block = questionBlock(plan);
  const blocks = questionStarts(plan, symbols).map((start, rung) => {
    const end = start + block;
    const slots = Array.from({ length: plan.questionsPerRung }, (_, k): Slot => {
      const distance = ((k + random.unit()) / plan.questionsPerRung) * end;
      const key = keys[rung * plan.questionsPerRung + k]!;
      const fact: Fact = { key, values: [random.below(symbols), random.below(symbols)] };
      const latest = start - QUESTION_TOKENS;
      return { due: Math.min(latest, start + QUESTION_TOKENS * k - distance), fact };
    });
    return { start, end, slots };
  });
  const queue = blocks.flatMap((b) => b.slots).sort((a, b) => a.due - b.due);

  blocks.forEach(({ start, slots }, rung) => {
    const from = writer.length;
    const run = Array.from({ length: RUN_TOKENS }, () => random.below(symbols));
    const starts = [
      from + random.between(4, Math.max(5, Math.floor((start - from) / 3))),
      start - RUN_TOKENS - random.below(RUN_TOKENS),
    ];
    let runs = plan.copies ? 0 : TURNS.length;
    const unstated = (): Slot[] => slots.filter((s) => !s.fact.at);
    // This leaves room for the facts that must be stated before they are asked.
    while (writer.length < start - QUESTION_TOKENS * unstated().length) {
      if (writer.length >= (starts[runs] ?? Infinity)) writer.run(run, TURNS[runs++]!);
      else if (queue.length > 0 && queue[0]!.due <= writer.length)
        writer.state(queue.shift()!.fact);
      else writer.text();
    }
    for (const slot of unstated()) {
      writer.state(slot.fact);
      queue.splice(queue.indexOf(slot), 1);
    }
    while (writer.length < start) writer.text();
    slots.forEach((s, k) => writer.ask(s.fact, rung * plan.questionsPerRung + k));
  });
  const values = new Set(blocks.flatMap((b) => b.slots.flatMap((s) => s.fact.values)));
  const rungsOf = (s: Scored): number[] => {
    if (s.kind === 'fact') return [Math.floor(s.question! / plan.questionsPerRung)];
    return s.kind === 'copy' ? [plan.rungs.findIndex((end) => s.index < end)] : [];
  };
  const ends = blocks.map(({ end }) => end);
  return finish(writer, plan.rungs, 1 / values.size, rungsOf, ends);
}

const questionBlock = ({ questionsPerRung }: FactPlan): number =>
  QUESTION_TOKENS * questionsPerRung + UNIT_TOKENS;

/**
 * Returns where the questions of each rung begin. If the next rung is closer than the questions are
 * long, they begin earlier, at most one question block.
 *
 * @throws RopeEvalError `lengths_too_close` (exit 2) if the questions do not fit one before the
 *   other, or if there are fewer keys than questions
 */
function questionStarts(plan: FactPlan, keys: number): number[] {
  const { rungs, questionsPerRung } = plan;
  const block = questionBlock(plan);
  let next = Infinity;
  const starts = rungs
    .toReversed()
    .map((end) => (next = Math.min(end, next) - block))
    .toReversed();
  if (next >= 0 && rungs.length * questionsPerRung <= keys) return starts;
  throw new RopeEvalError('lengths_too_close', {
    problem: `${rungs.length} lengths are too many, or too close together, to be measured in one text`,
    hint: 'Leave some of the lengths out: each needs a fifth of the trained window.',
  });
}

/**
 * Writes running text without facts, so that nothing else disturbs the next-token loss. If rungs
 * are closer than `span`, a token counts at each of them.
 */
export function writeText(
  { language, ...plan }: TextPlan & InLanguage,
  seed: number,
  index: number,
): Context {
  const writer = new Writer(language, Random.stream(seed, index));
  return finish(writer, plan.rungs, 0, (s) =>
    plan.rungs.flatMap((end, rung) => (s.index <= end && s.index > end - plan.span ? [rung] : [])),
  );
}

/**
 * Writes text up to the last rung and keeps the scored tokens that belong to a rung.
 *
 * @param ends (rungs) where the questions of each end, in tokens
 */
function finish(
  writer: Writer,
  rungs: readonly number[],
  chance: number,
  rungsOf: (s: Scored) => readonly number[],
  ends: readonly number[] = rungs,
): Context {
  const last = rungs.at(-1)!;
  while (writer.length < last + 1) writer.text();
  const kept = writer.scored
    .filter((s) => s.index <= last)
    .flatMap((s) => rungsOf(s).flatMap((rung) => (rung >= 0 ? [{ s, rung }] : [])));
  return {
    tokens: writer.tokens.slice(0, last),
    head: writer.head,
    rows: kept.map(({ s }) => s.index - 1),
    targets: kept.map(({ s }) => writer.tokens[s.index]!),
    items: kept.map(({ s, rung }) => ({
      kind: s.kind,
      rung,
      distance: s.distance ?? 0,
      share: (s.distance ?? 0) / ends[rung]!,
      surprise: s.surprise ?? 0,
    })),
    chance,
    facts: writer.facts,
  };
}

/** Cuts a context after one of its rungs. Nothing beyond is read, and nothing farther is asked. */
export function upToRung(context: Context, rung: number, end: number): Context {
  const inside = context.items.map((item) => item.rung <= rung);
  const kept = <T>(list: readonly T[]): T[] => list.filter((_, i) => inside[i]);
  return {
    ...context,
    tokens: context.tokens.slice(0, end),
    rows: kept(context.rows),
    targets: kept(context.targets),
    items: kept(context.items),
    facts: context.facts.filter(({ to }) => to <= end),
  };
}

/**
 * Returns the text of one rung with no more than a trained window before it. The reference is asked
 * about the same tokens at a length that it was trained on. The head stays, because it holds what
 * the document declares only once.
 *
 * @param end length of the rung, probe tokens
 * @param window trained window, probe tokens
 */
export function lastWindow(context: Context, rung: number, end: number, window: number): Context {
  const stop = Math.max(end, window);
  const start = stop - window;
  const { head } = context;
  const inside = context.items.map(
    (item, i) => item.rung === rung && context.rows[i]! >= start + head,
  );
  const kept = <T>(list: readonly T[]): T[] => list.filter((_, i) => inside[i]);
  return {
    tokens: [...context.tokens.slice(0, head), ...context.tokens.slice(start + head, stop)],
    head,
    rows: kept(context.rows).map((row) => row - start),
    targets: kept(context.targets),
    items: kept(context.items).map((item) => ({ ...item, rung: 0 })),
    chance: 0,
    facts: [],
  };
}

/**
 * The functions below separate the two effects of a longer context, both within the model's own
 * window:
 *
 * - `stretched` has as many tokens as the window, but far apart. The facts and the questions are at
 *   the positions that they would have in a context `multiple` times as long, and the gaps between
 *   them are gaps in the position ids. Any loss here is due to RoPE.
 * - `squeezed` has the tokens of the long context, but no long distances. Everything except facts
 *   and questions is at fractional positions, so that the whole fits into the window. Any loss here
 *   is due to attention over more tokens (dilution).
 */

/** Moves the facts of a one-window context apart by position ids. */
export function stretched(context: Context, multiple: number): Context {
  const positions: number[] = [];
  let offset = 0;
  const questions = context.facts.find((f) => f.asked)?.from ?? context.tokens.length;
  const starts = new Set(context.facts.filter((f) => !f.asked).map((f) => f.from));
  for (let i = 0; i < context.tokens.length; i++) {
    // The gap precedes a fact or the questions; it never falls inside one.
    if (starts.has(i) || i === questions) offset = Math.round((multiple - 1) * i);
    positions.push(i + offset);
  }
  return { ...context, positions };
}

/** Squeezes the filler of a long context until the whole spans `window` positions. */
export function squeezed(context: Context, window: number): Context {
  const whole = new Uint8Array(context.tokens.length);
  for (const { from, to } of context.facts) whole.fill(1, from, to);
  const kept = whole.reduce((a, b) => a + b, 0);
  const filler = context.tokens.length - kept;
  const step = Math.max(0, (window - kept) / Math.max(1, filler));
  const positions: number[] = [];
  let at = 0;
  for (let i = 0; i < context.tokens.length; i++) {
    positions.push(at);
    // The width of a token is 1 inside facts and a fraction elsewhere.
    at += whole[i] ? 1 : Math.min(1, step);
  }
  return { ...context, positions };
}
