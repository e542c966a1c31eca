"""The probe language: vocabulary, fixed tables and the training sequences.

A page of synthetic text has dependencies at every range, because a model that only ever looks a few tokens back does
not use its middle frequencies:

- content words belong to classes, and each class has a topic. The next word is a function of (previous content word,
  topic of its class). Topics are declared by one token each. Half of the classes declare theirs once at the start of
  the document, so what a word means depends on the document's first tokens. The others declare theirs again every 4
  to 96 tokens, and the latest of many declarations counts. A longer context has more of them, so an imprecise sense
  of distance costs more there;
- function words come between content words, so that no offset is exact;
- brackets close, and entities return, after log-uniform distances;
- facts (marker key .. value .. value) are stated and asked again later;
- copies: a run of random symbols that is repeated verbatim.

The tables are drawn once from TABLE_SEED and written to language.json, which the TypeScript probes read, so both
sides have the same source.
"""

import json
import math
import random
from dataclasses import dataclass

TABLE_SEED = 20231
VOCAB = 256

BOS = 0  # always the first token, on which a head can rest
FACT = 1  # marker before every fact and every question
ENTITY = 2  # marker before every mention of an entity
FUNCTION = (4, 8)  # (first id, count)
OPEN = (12, 8)
CLOSE = (20, 8)
CONTENT = (28, 48)
NAME = (76, 24)
DECLARE = (100, 24)  # class * TOPICS + topic
SYMBOL = (128, 128)  # keys, values and copied runs

CLASSES = 4  # the class of a content word is its number modulo CLASSES
LASTING = 2  # classes whose topic is valid for the whole document
TOPICS = 6
SUCCESSORS = 4
RATES = {
    "topicWord": 0.72,  # next content word = function of (previous, topic of its class)
    "successor": 0.20,  # one of four fixed successors of the previous
    "functionWord": 0.35,  # probability of each of up to two before a content word
    "bracket": 1 / 30,  # per content word
    "entity": 1 / 30,  # per content word
    "bracketRange": [4, 200],  # log-uniform, tokens
    "entityRange": [3, 200],
    "topicRange": [4, 96],
    "keyGap": 2,  # 0..n function words between key and first value
    "valueGap": 1,  # 0..n between the values
}


def tables(seed=TABLE_SEED):
    rng = random.Random(seed)
    words = CONTENT[1]
    return {
        "topicNext": [[(w + 1 + rng.randrange(words - 1)) % words for w in range(words)] for _ in range(TOPICS)],
        "successors": [rng.sample(range(words), SUCCESSORS) for _ in range(words)],
    }


def as_json():
    return {
        "version": 1,
        "tableSeed": TABLE_SEED,
        "vocabularySize": VOCAB,
        "tokens": {
            "bos": BOS, "fact": FACT, "entity": ENTITY, "function": FUNCTION, "open": OPEN,
            "close": CLOSE, "content": CONTENT, "name": NAME,
            "declare": DECLARE, "symbol": SYMBOL,
        },
        "classes": CLASSES,
        "lasting": LASTING,
        "topics": TOPICS,
        "rates": RATES,
        **tables(),
    }


@dataclass
class Mix:
    """The contents of one training sequence, drawn anew for each."""

    fact: float  # new fact, per unit of text
    ask: float  # question about a random earlier fact, per unit of text
    final_questions: int  # questions at the end
    copies: int  # runs that are repeated
    fact_end: float = 1.0  # share of the text in which new facts may be stated
    once: bool = False  # each fact is asked for only once, so that it cannot be read from a nearer repetition


WEIGHT_ANSWER = 1.0
WEIGHT_LANGUAGE = 0.4


class Sequence:
    """Writes one sequence of `length` tokens, with the loss weight of each token as a target."""

    def __init__(self, rng, table, length, mix):
        self.rng, self.table, self.length, self.mix = rng, table, length, mix
        self.tokens, self.weights = [BOS], [0.0]
        self.word = rng.randrange(CONTENT[1])
        self.topics = [0] * CLASSES
        self.pending = []  # (due position, kind, payload)
        self.first_runs = []  # (due position, symbols)
        self.entity = None
        self.facts = []
        self.keys = set()
        for group in rng.sample(range(CLASSES), CLASSES):
            self.declare(group)

    def put(self, token, weight):
        self.tokens.append(token)
        self.weights.append(weight)

    def declare(self, group):
        self.topics[group] = self.rng.randrange(TOPICS)
        self.put(DECLARE[0] + group * TOPICS + self.topics[group], 0.0)
        if group >= LASTING:
            self.pending.append((len(self.tokens) + self.log_uniform(RATES["topicRange"]), "declare", group))

    def log_uniform(self, bounds):
        low, high = bounds
        return int(math.exp(self.rng.uniform(math.log(low), math.log(high))))

    def function_word(self, weight=WEIGHT_LANGUAGE):
        self.put(FUNCTION[0] + self.rng.randrange(FUNCTION[1]), weight)

    def content_word(self):
        rng = self.rng
        for _ in range(2):
            if rng.random() < RATES["functionWord"]:
                self.function_word()
        p = rng.random()
        if p < RATES["topicWord"]:
            self.word = self.table["topicNext"][self.topics[self.word % CLASSES]][self.word]
        elif p < RATES["topicWord"] + RATES["successor"]:
            self.word = self.table["successors"][self.word][rng.randrange(SUCCESSORS)]
        else:
            self.word = rng.randrange(CONTENT[1])
        self.put(CONTENT[0] + self.word, WEIGHT_LANGUAGE)

    def mention(self):
        self.put(ENTITY, WEIGHT_LANGUAGE)
        self.put(NAME[0] + self.entity, WEIGHT_LANGUAGE)

    def fact(self, key, values, weight):
        self.put(FACT, WEIGHT_LANGUAGE)
        self.put(SYMBOL[0] + key, 0.0)
        for gap, value in zip((RATES["keyGap"], RATES["valueGap"]), values):
            for _ in range(self.rng.randint(0, gap)):
                self.function_word(weight * WEIGHT_LANGUAGE)
            self.put(SYMBOL[0] + value, weight)

    def state_fact(self):
        key = self.rng.randrange(SYMBOL[1])
        if key in self.keys:
            return
        self.keys.add(key)
        values = (self.rng.randrange(SYMBOL[1]), self.rng.randrange(SYMBOL[1]))
        self.facts.append((key, values))
        self.fact(key, values, 0.0)

    def run(self, run, weight):
        for i, symbol in enumerate(run):
            self.put(SYMBOL[0] + symbol, weight if i else 0.0)

    def due(self):
        for i, (when, kind, payload) in enumerate(self.pending):
            if when <= len(self.tokens):
                del self.pending[i]
                if kind == "close":
                    self.put(CLOSE[0] + payload, WEIGHT_LANGUAGE)
                elif kind == "mention":
                    self.mention()
                elif kind == "declare":
                    self.declare(payload)
                else:
                    self.run(payload, WEIGHT_ANSWER)
                return True
        return False

    def unit(self):
        rng, mix = self.rng, self.mix
        if self.pending and self.due():
            return
        p = rng.random()
        if p < mix.fact and len(self.tokens) > mix.fact_end * self.length:
            self.content_word()
        elif p < mix.fact:
            self.state_fact()
        elif p < mix.fact + mix.ask and self.facts:
            self.fact(*rng.choice(self.facts), WEIGHT_ANSWER)
        elif p < mix.fact + mix.ask + RATES["bracket"]:
            kind = rng.randrange(OPEN[1])
            self.put(OPEN[0] + kind, WEIGHT_LANGUAGE)
            self.pending.append((len(self.tokens) + self.log_uniform(RATES["bracketRange"]), "close", kind))
        elif p < mix.fact + mix.ask + RATES["bracket"] + RATES["entity"]:
            self.entity = rng.randrange(NAME[1])
            self.put(ENTITY, WEIGHT_LANGUAGE)
            self.put(NAME[0] + self.entity, 0.0)
            for _ in range(2):
                due = len(self.tokens) + self.log_uniform(RATES["entityRange"])
                self.pending.append((due, "mention", None))
        else:
            self.content_word()

    def write(self):
        rng, mix = self.rng, self.mix
        for _ in range(mix.copies):
            run = [rng.randrange(SYMBOL[1]) for _ in range(rng.randint(6, max(7, self.length // 12)))]
            self.first_runs.append((rng.randrange(1, max(2, self.length - 3 * len(run))), run))
        text_end = self.length - 6 * mix.final_questions
        while len(self.tokens) < text_end:
            self.start_copies(text_end)
            self.unit()
        if self.facts:
            left = rng.sample(self.facts, len(self.facts)) if mix.once else []
            for _ in range(mix.final_questions):
                if not mix.once:
                    self.fact(*rng.choice(self.facts), WEIGHT_ANSWER)
                elif left:
                    self.fact(*left.pop(), WEIGHT_ANSWER)
        while len(self.tokens) < self.length:
            self.unit()
        return self.tokens[: self.length], self.weights[: self.length]

    def start_copies(self, end):
        """Writes the first run of each copy that is due, and schedules its repetition."""
        for item in [r for r in self.first_runs if r[0] <= len(self.tokens)]:
            self.first_runs.remove(item)
            run = item[1]
            self.run(run, 0.0)
            room = end - len(self.tokens) - len(run) - 1
            if room > 0:
                self.pending.append((len(self.tokens) + self.rng.randint(1, room), "copy", run))


def draw_mix(rng, length, copy_share, once=0.25):
    """once: share of the sequences whose facts are asked for once, at the end.

    A fact that is asked repeatedly is read from its nearest repetition, so far distances would hardly be trained.
    """
    copies = rng.randint(1, 3) if rng.random() < copy_share else 0
    style = rng.random()
    mixed = 0.55 - once
    if style < mixed:  # facts and questions throughout the text
        fact = rng.uniform(0.05, 0.25)
        return Mix(fact, fact * rng.uniform(0.8, 2.0), 0, copies)
    if style < 0.55:  # facts up to some point
        fact, questions = rng.uniform(0.1, 0.6), rng.randint(5, 12) * length // 256
        return Mix(fact, 0.0, max(3, questions), 0, rng.uniform(0.1, 0.9), True)
    if style < 0.65:  # facts in running text, asked at the end
        fact = rng.uniform(0.05, 0.15)
        questions = max(2, length // rng.choice((12, 16, 24)))
        return Mix(fact, 0.0, questions, copies)
    return Mix(0.0, 0.0, 0, copies)  # text alone, on which the language loss is measured


def sequence(rng, table, length, copy_share, once=0.25):
    return Sequence(rng, table, length, draw_mix(rng, length, copy_share, once)).write()


def batch(rng, table, count, length, copy_share, once=0.25):
    """-> tokens, weights: lists of `count` lists of `length`."""
    pairs = [sequence(rng, table, length, copy_share, once) for _ in range(count)]
    return [p[0] for p in pairs], [p[1] for p in pairs]


if __name__ == "__main__":
    print(json.dumps(as_json()))
