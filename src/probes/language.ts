import { z } from 'zod';

const range = z.tuple([z.number().int(), z.number().int()]);
const bounds = z.tuple([z.number().positive(), z.number().positive()]);

/** The probe models' language, as training/ writes it to `fixtures/probe-models/language.json`. */
export const LanguageSchema = z.object({
  version: z.literal(1),
  vocabularySize: z.number().int(),
  tokens: z.object({
    bos: z.number().int(),
    fact: z.number().int(),
    entity: z.number().int(),
    /** (first id, count) */
    function: range,
    open: range,
    close: range,
    content: range,
    name: range,
    /** One token for each pair (class, topic). */
    declare: range,
    symbol: range,
  }),
  /** The classes of content words. The class of a word is its number modulo `classes`. */
  classes: z.number().int(),
  /** How many classes, from the first, keep one topic for the whole document. */
  lasting: z.number().int(),
  /** How many topics each class can have. */
  topics: z.number().int(),
  rates: z.object({
    topicWord: z.number(),
    successor: z.number(),
    functionWord: z.number(),
    bracket: z.number(),
    entity: z.number(),
    bracketRange: bounds,
    entityRange: bounds,
    topicRange: bounds,
    keyGap: z.number().int(),
    valueGap: z.number().int(),
  }),
  /** (topics, words) → next word */
  topicNext: z.array(z.array(z.number().int())),
  /** (words, 4) */
  successors: z.array(z.array(z.number().int())),
});

export type Language = z.infer<typeof LanguageSchema>;
