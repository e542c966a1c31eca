import { EXIT, RopeEvalError } from '../errors.js';
import type { Language } from './language.js';
import { Random } from './random.js';
import { Writer, type Fact, type Kind, type Scored } from './writer.js';

/** Longest question: marker, key, two and one function words, two values. */
const QUESTION_TOKENS = 7;
/** A unit of text ends up to this many tokens after the place where it began. */
const UNIT_TOKENS = 4;
const RUN_TOKENS = 10;

/** One scored token of a context, in the order of `Context.targets`. */
export interface Item {
  readonly kind: Kind;
  /** Rung (index into the ladder) at whose length the token is read. */
  readonly rung: number;
  /** Facts only: answer to statement, in tokens. */
  readonly distance: number;
  /** Facts only: the same as a share of the text before the questions' end, 0..1. */
  readonly share: number;
  /** Language only: nats that the source itself needs for the token. */
  readonly surprise: number;
}

/** A seeded text with questions at every rung: the same for every scaling. */
export interface Context {
  readonly tokens: readonly number[];
  /** Tokens at the start that say what holds for the whole document. */
  readonly head: number;
  /** Row from which each scored token is predicted. */
  readonly rows: readonly number[];
  readonly targets: readonly number[];
  readonly items: readonly Item[];
  /** Accuracy of guessing a value that stands in the context. */
  readonly chance: number;
  /** [from, to) of every statement and question. */
  readonly facts: Writer['facts'];
  /** Position of each token; absent: its index. */
  readonly positions?: readonly number[];
}

export interface TextPlan {
  readonly language: Language;
  /** Lengths in probe tokens, ascending. */
  readonly rungs: readonly number[];
  /** Text this close below a rung counts as text at that length, in tokens. */
  readonly span: number;
}

export interface FactPlan {
  readonly language: Language;
  /** Lengths in probe tokens at which questions end, ascending. */
  readonly rungs: readonly number[];
  readonly questionsPerRung: number;
  /** Also a verbatim copy before each rung. */
  readonly copies: boolean;
}

interface Slot {
  readonly due: number;
  readonly fact: Fact;
}

/**
 * Running text with facts, asked at the end of every rung.
 *
 * Facts stand at stratified depths for each rung; a fact is asked once, at its rung, nearest
 * first. A decoder's row depends on the text before it alone, so one pass over the longest
 * context serves every shorter length too.
 */
export function writeFacts(plan: FactPlan, seed: number, index: number): Context {
  const random = Random.stream(seed, index);
  const writer = new Writer(plan.language, random);
  const symbols = plan.language.tokens.symbol[1];
  const keys = random.sample(symbols, plan.rungs.length * plan.questionsPerRung);
  const block = questionBlock(plan);
  const blocks = questionStarts(plan).map((start, rung) => {
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
    const firstRun = from + random.between(4, Math.max(5, Math.floor((start - from) / 3)));
    const secondRun = start - RUN_TOKENS - random.below(RUN_TOKENS);
    let runs = plan.copies ? 0 : 2;
    const unstated = (): Slot[] => slots.filter((s) => !s.fact.at);
    // Room is kept for what must have been stated before it is asked.
    while (writer.length < start - QUESTION_TOKENS * unstated().length) {
      if (runs === 0 && writer.length >= firstRun) writer.run(run, runs++ > 0);
      else if (runs === 1 && writer.length >= secondRun) writer.run(run, runs++ > 0);
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
 * Where the questions of each rung begin. A rung closer to the next one than its questions are long
 * asks that much earlier: at most a question block short of its length.
 *
 * @throws RopeEvalError `lengths_too_close` (exit 2) where they do not fit before each other, or
 *   there are fewer keys than questions
 */
function questionStarts(plan: FactPlan): number[] {
  const { rungs, questionsPerRung, language } = plan;
  const block = questionBlock(plan);
  let next = Infinity;
  const starts = rungs
    .toReversed()
    .map((end) => (next = Math.min(end, next) - block))
    .toReversed();
  const keys = language.tokens.symbol[1];
  if (next >= 0 && rungs.length * questionsPerRung <= keys) return starts;
  throw new RopeEvalError(
    `${rungs.length} lengths are too many, or too close together, to be measured in one text`,
    EXIT.usage,
    'lengths_too_close',
    '',
    'Leave some of the lengths out: each needs a fifth of the trained window.',
  );
}

/**
 * Running text alone: next-token loss is measured where nothing else can disturb it. Where rungs are
 * closer than `span`, a token counts at each.
 */
export function writeText(plan: TextPlan, seed: number, index: number): Context {
  const writer = new Writer(plan.language, Random.stream(seed, index));
  return finish(writer, plan.rungs, 0, (s) =>
    plan.rungs.flatMap((end, rung) => (s.index <= end && s.index > end - plan.span ? [rung] : [])),
  );
}

/**
 * Fills up with text to the last rung and keeps the tokens that belong to a rung.
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
