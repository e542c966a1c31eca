import { type Context, lastWindow, type TextSource, upToRung } from '../probes/contexts.js';
import { type PresetPlan, probeTokens, questionsPerRung, SHORT_RUNGS } from '../probes/presets.js';
import type { ContextSet } from './questions.js';
import type { Series } from './series.js';

/** The contexts that every variant is asked on, except `windows`, which only the reference is. */
export interface ContextSets {
  readonly short: ContextSet;
  readonly shortText: ContextSet;
  readonly ladder: ContextSet;
  readonly ladderText: ContextSet;
  /** The ladder's text with each rung cut to one trained window: context * rungs + rung. */
  readonly windows: ContextSet;
}

/** Every set has its own random stream, so that a larger preset only adds contexts. */
export const STREAM = Object.freeze({
  short: 1,
  shortText: 2,
  ladder: 3,
  ladderText: 4,
  decomposition: 5,
  switchFacts: 8,
  switchText: 9,
});

/** Which contexts to draw from a stream. */
export interface Draw {
  readonly seed: number;
  readonly stream: number;
  readonly count: number;
  /** Index of the first context; default 0. */
  readonly from?: number;
}

/** Draws contexts of a stream. `write` makes the context with an index. */
export function drawContexts(
  { seed, stream, count, from = 0 }: Draw,
  write: (seed: number, index: number) => Context,
): Context[] {
  return Array.from({ length: count }, (_, i) => write(seed * 16 + stream, from + i));
}

/** Makes a writer of facts that are asked at every rung of a ladder. */
function ladderFacts(
  texts: TextSource,
  rungs: readonly number[],
): (seed: number, index: number) => Context {
  const plan = {
    rungs,
    questionsPerRung: questionsPerRung(rungs.length, texts.keys),
    copies: false,
  };
  return (seed, index) => texts.facts(plan, seed, index);
}

/** What to draw. */
export interface SetsPlan {
  readonly texts: TextSource;
  /** The subject's trained window, tokens. */
  readonly window: number;
  /** Tokens before a rung that count as text at that rung's length. */
  readonly textSpan: number;
  /** The ladder, as window multiples. */
  readonly multiples: readonly number[];
  readonly samples: Pick<PresetPlan, 'short' | 'shortText' | 'long' | 'longText'>;
  readonly seed: number;
}

/** Draws all sets of contexts of a run. One seed gives one set of contexts. */
export function contextSets({
  texts,
  window,
  textSpan,
  multiples,
  samples,
  seed,
}: SetsPlan): ContextSets {
  const shortRungs = SHORT_RUNGS.map((m) => probeTokens(m, window));
  const rungs = multiples.map((m) => probeTokens(m, window));
  const draw = (count: number, name: keyof typeof STREAM) => ({
    seed,
    stream: STREAM[name],
    count,
  });
  const textAt = (rungs: readonly number[]) => (s: number, i: number) =>
    texts.text({ rungs, span: textSpan }, s, i);
  const ladderText = drawContexts(draw(samples.longText, 'ladderText'), textAt(rungs));
  return {
    short: {
      name: 'short',
      lengths: shortRungs,
      contexts: drawContexts(draw(samples.short, 'short'), (s, i) =>
        texts.facts({ rungs: shortRungs, questionsPerRung: 6, copies: true }, s, i),
      ),
    },
    shortText: {
      name: 'short-text',
      lengths: shortRungs,
      contexts: drawContexts(draw(samples.shortText, 'shortText'), textAt(shortRungs)),
    },
    ladder: {
      name: 'long',
      lengths: rungs,
      contexts: drawContexts(draw(samples.long, 'ladder'), ladderFacts(texts, rungs)),
    },
    ladderText: { name: 'long-text', lengths: rungs, contexts: ladderText },
    windows: {
      name: 'windows',
      lengths: [window],
      contexts: ladderText.flatMap((c) => rungs.map((end, r) => lastWindow(c, r, end, window))),
    },
  };
}

/** What further contexts to draw from, and how many. */
export interface FurtherPlan {
  readonly texts: TextSource;
  /** The contexts of the preset on the ladder. Further portions are added to it. */
  readonly series: Series;
  /** Tokens of the subject, one of the ladder's rungs. */
  readonly target: number;
  /** The most contexts that a variant gets in all. */
  readonly most: number;
  readonly seed: number;
}

/**
 * Draws further contexts of facts for variants whose verdict is still open, as many as there are so
 * far. They come from the same stream, so that a variant is judged on the contexts that a larger
 * preset gives to all variants. They end at the target, because the verdict is about the target.
 *
 * @returns false if `most` contexts have been drawn already
 */
export function drawFurther({ texts, series, target, most, seed }: FurtherPlan): boolean {
  const sofar = series.portions.reduce((sum, set) => sum + set.contexts.length, 0);
  if (sofar >= most) return false;
  const { lengths } = series.portions[0]!;
  const rungs = lengths.filter((tokens) => tokens <= target);
  const count = Math.min(sofar, most - sofar);
  const draw = { seed, stream: STREAM.ladder, count, from: sofar };
  series.portions.push({
    name: `long from ${sofar}`,
    lengths: rungs,
    contexts: drawContexts(draw, ladderFacts(texts, lengths)).map((context) =>
      upToRung(context, rungs.length - 1, rungs.at(-1)!),
    ),
  });
  return true;
}
