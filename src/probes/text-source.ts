import { writeFacts, writeText, type Context, type FactPlan, type TextPlan } from './contexts.js';
import type { Language } from './language.js';

/** What a subject is asked, in its own tokens. The same seed and index give the same context. */
export interface TextSource {
  /** Different facts that one context has room for. */
  readonly keys: number;
  /** Running text with facts, asked at the end of every rung. */
  facts(plan: Omit<FactPlan, 'language'>, seed: number, index: number): Context;
  /** Running text alone. */
  text(plan: Omit<TextPlan, 'language'>, seed: number, index: number): Context;
}

/** The probe models' own language. */
export function languageTexts(language: Language): TextSource {
  return {
    keys: language.tokens.symbol[1],
    facts: (plan, seed, index) => writeFacts({ language, ...plan }, seed, index),
    text: (plan, seed, index) => writeText({ language, ...plan }, seed, index),
  };
}
