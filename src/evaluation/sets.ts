import { writeFacts, writeText, type Context } from '../probes/contexts.js';
import { lastWindow } from '../probes/last-window.js';
import { squeezed, stretched } from '../probes/positions.js';
import { probeTokens } from '../probes/ladder.js';
import type { Language } from '../probes/language.js';
import { questionsPerRung, SHORT_RUNGS, type PresetPlan } from '../probes/presets.js';
import type { ContextSet } from './jobs.js';

/** The sets of contexts; every scaling is run on the first four, the reference on the last too. */
export interface Sets {
  readonly short: ContextSet;
  readonly shortText: ContextSet;
  readonly long: ContextSet;
  readonly longText: ContextSet;
  /** The long text's rungs, each cut to one trained window: context * rungs + rung. */
  readonly windows: ContextSet;
  /** One window of tokens, the target's distances. */
  readonly stretched: ContextSet;
  /** The target's tokens, one window of distances. */
  readonly squeezed: ContextSet;
}

/** Each set draws from a stream of its own, so that a bigger preset only adds contexts. */
export const STREAM = Object.freeze({
  short: 1,
  shortText: 2,
  long: 3,
  longText: 4,
  apart: 5,
  switchFacts: 8,
  switchText: 9,
});

/** Contexts of one stream, from the `from`-th on. */
export function drawContexts(
  seed: number,
  stream: number,
  count: number,
  write: (seed: number, index: number) => Context,
  from = 0,
): Context[] {
  return Array.from({ length: count }, (_, i) => write(seed * 16 + stream, from + i));
}

/** Writes facts that are asked at every rung of a ladder. */
export function longFacts(
  language: Language,
  rungs: readonly number[],
): (seed: number, index: number) => Context {
  const questions = questionsPerRung(rungs.length, language.tokens.symbol[1]);
  const plan = { language, rungs, questionsPerRung: questions, copies: false };
  return (seed, index) => writeFacts(plan, seed, index);
}

/**
 * @param multiples the ladder, as window multiples
 * @param window the probe model's trained window, tokens
 * @param target window multiple that stretched and squeezed stand for
 */
export function contextSets(
  language: Language,
  window: number,
  multiples: readonly number[],
  plan: PresetPlan,
  seed: number,
  target: number,
): Sets {
  const shortRungs = SHORT_RUNGS.map((m) => probeTokens(m, window));
  const longRungs = multiples.map((m) => probeTokens(m, window));
  const targetTokens = probeTokens(target, window);
  const many = (count: number, stream: number, write: (seed: number, i: number) => Context) =>
    drawContexts(seed, stream, count, write);
  const facts = (rungs: number[], questionsPerRung: number, copies: boolean) => {
    const plan = { language, rungs, questionsPerRung, copies };
    return (s: number, i: number) => writeFacts(plan, s, i);
  };
  const text = (rungs: number[], span: number) => (s: number, i: number) =>
    writeText({ language, rungs, span }, s, i);
  const longText = many(plan.longText, STREAM.longText, text(longRungs, window / 2));
  return {
    short: {
      name: 'short',
      lengths: shortRungs,
      contexts: many(plan.short, STREAM.short, facts(shortRungs, 6, true)),
    },
    shortText: {
      name: 'short-text',
      lengths: shortRungs,
      contexts: many(plan.shortText, STREAM.shortText, text(shortRungs, window / 2)),
    },
    long: {
      name: 'long',
      lengths: longRungs,
      contexts: many(plan.long, STREAM.long, longFacts(language, longRungs)),
    },
    longText: {
      name: 'long-text',
      lengths: longRungs,
      contexts: longText,
    },
    windows: {
      name: 'windows',
      lengths: [window],
      contexts: longText.flatMap((c) => longRungs.map((end, r) => lastWindow(c, r, end, window))),
    },
    stretched: {
      name: 'stretched',
      lengths: [window],
      contexts: many(plan.apart, STREAM.apart, (s, i) =>
        stretched(facts([window], 6, false)(s, i), target),
      ),
    },
    squeezed: {
      name: 'squeezed',
      lengths: [targetTokens],
      contexts: many(plan.apart, STREAM.apart, (s, i) =>
        squeezed(facts([targetTokens], 6, false)(s, i), window),
      ),
    },
  };
}
