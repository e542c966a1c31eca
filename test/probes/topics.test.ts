import { expect, it } from 'vitest';
import { writeText } from '../../src/probes/contexts.js';
import { language } from '../helpers/language.js';

const { tokens, classes, lasting, topics, rates } = language;
const context = writeText({ language, rungs: [4096], span: 4096 }, 1, 0);

/** (index, class, topic) of each declaration. */
const declared = context.tokens.flatMap((token, index) => {
  const id = token - tokens.declare[0];
  if (id < 0 || id >= tokens.declare[1]) return [];
  return [{ index, group: Math.floor(id / topics), topic: id % topics }];
});

it('a document opens with a topic for every class', () => {
  expect(context.tokens[0]).toBe(tokens.bos);
  expect(context.head).toBe(1 + classes);
  const head = declared.filter(({ index }) => index < context.head).map(({ group }) => group);
  expect(head.toSorted((a, b) => a - b)).toEqual(Array.from({ length: classes }, (_, i) => i));
});

it('lasting topics are declared once, the others again and again', () => {
  for (let group = 0; group < classes; group++) {
    const times = declared.filter((d) => d.group === group);
    if (group < lasting) expect(times).toHaveLength(1);
    else expect(times.length).toBeGreaterThan(4096 / (2 * rates.topicRange[1]));
    const gaps = times.slice(1).map((d, i) => d.index - times[i]!.index);
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(rates.topicRange[0] - 1);
      // Other tokens that are due, one unit each, may come first.
      expect(gap).toBeLessThanOrEqual(rates.topicRange[1] + 32);
    }
  }
});

it('the next content word follows the declared topic as often as the language says', () => {
  const present: number[] = [];
  let previous: number | undefined;
  let [followed, words] = [0, 0];
  for (const token of context.tokens) {
    const declaration = token - tokens.declare[0];
    if (declaration >= 0 && declaration < tokens.declare[1])
      present[Math.floor(declaration / topics)] = declaration % topics;
    const word = token - tokens.content[0];
    if (word < 0 || word >= tokens.content[1]) continue;
    if (previous !== undefined) {
      words += 1;
      const topic = present[previous % classes]!;
      if (language.topicNext[topic]![previous] === word) followed += 1;
    }
    previous = word;
  }
  expect(words).toBeGreaterThan(1500);
  expect(followed / words).toBeGreaterThan(rates.topicWord - 0.04);
  expect(followed / words).toBeLessThan(rates.topicWord + 0.05);
});
