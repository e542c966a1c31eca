import { createHash } from 'node:crypto';
import { RopeEvalError } from '../errors.js';
import type { Context } from '../probes/contexts.js';
import type { ContextScores, Measurement } from '../probes/measure.js';
import type { Opened, Subject, Treatment } from '../subjects/subject.js';

/** Contexts that share a shape. */
export interface ContextSet {
  /** Names the set in saved work. Equal names in runs of one kind stand for the same contexts. */
  readonly name: string;
  readonly contexts: readonly Context[];
  /** Rungs in tokens of the subject, ascending. */
  readonly lengths: readonly number[];
}

/** One set of contexts under one treatment. */
interface Question {
  readonly set: ContextSet;
  readonly treatment: Treatment;
  /** The number of tokens of each context that are asked. */
  length: number;
  readonly label: string;
  scores: readonly ContextScores[] | undefined;
}

/** A set as it was asked, under one treatment per rung. Its answers are fetched with this. */
export interface Asked {
  readonly set: ContextSet;
  /** (rungs) */
  readonly questions: readonly Question[];
}

/** The answer to one question in an unfinished report: each context's scores in base64. */
export interface SavedAnswer {
  readonly key: string;
  readonly length: number;
  readonly contexts: { readonly logProbability: string; readonly correct: string }[];
}

/** One request: some of the contexts of a question. */
interface Request {
  readonly question: Question;
  readonly contexts: readonly Context[];
  /** The scores of all requests of the question; empty for a request without an answer. */
  readonly parts: (readonly ContextScores[])[];
  readonly index: number;
}

/** The subject as far as it answers requests. */
export type Respondent = Pick<Subject, 'score'> & Pick<Opened, 'lanes' | 'tokensPerRequest'>;

export interface AnswerOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called before each request with what it asks. */
  readonly onProgress?: (label: string) => void;
  /** Called after the last answer to a question. */
  readonly onAnswered?: () => void;
}

/**
 * Collects questions and has each asked only once. Variants share a question if their treatments
 * are equal, and one pass over the longest context answers all shorter rungs.
 */
export class QuestionList {
  readonly #questions: Question[] = [];
  readonly #bySet = new Map<ContextSet, Map<Treatment, Question>>();
  /** Answers from an earlier run, by key. */
  #saved: ReadonlyMap<string, SavedAnswer> = new Map();
  /** Tokens answered so far. */
  tokens = 0;
  /** Units of work answered so far. */
  workDone = 0;

  constructor(private readonly subject: Pick<Subject, 'lossScale' | 'workOf'>) {}

  /** Asks about a set, under one treatment per rung. */
  ask(set: ContextSet, treatments: readonly Treatment[], label: string): Asked {
    const questions = treatments.map((treatment, rung) =>
      this.#question(set, treatment, set.lengths[rung]!, label),
    );
    return { set, questions };
  }

  #question(set: ContextSet, treatment: Treatment, length: number, label: string): Question {
    const ofSet = this.#bySet.get(set) ?? new Map<Treatment, Question>();
    this.#bySet.set(set, ofSet);
    const known = ofSet.get(treatment);
    if (known) {
      if (length > known.length) Object.assign(known, { length, scores: undefined });
      return known;
    }
    const question: Question = { set, treatment, length, label, scores: undefined };
    ofSet.set(treatment, question);
    this.#questions.push(question);
    return question;
  }

  get complete(): boolean {
    return this.#questions.every((question) => question.scores);
  }

  get workAsked(): number {
    return this.#questions.reduce((sum, question) => sum + this.#workOf(question), 0);
  }

  /** Units of work of a set's contexts at a length. */
  workAt({ contexts }: ContextSet, length: number): number {
    return contexts.length * this.#work(length);
  }

  #work(length: number): number {
    return this.subject.workOf?.(length) ?? length;
  }

  #workOf({ set, length }: Question): number {
    return this.workAt(set, length);
  }

  get totalTokens(): number {
    return this.#questions.reduce((sum, q) => sum + tokensOf(q), 0);
  }

  /**
   * Has the open questions answered, as many at a time as the respondent accepts.
   *
   * @returns false if the signal stopped it
   * @throws the first error of a request, after all requests that had started have ended
   */
  async answer(respondent: Respondent, options: AnswerOptions = {}): Promise<boolean> {
    const { signal, onProgress, onAnswered } = options;
    this.#takeOver(); // For questions that were added since.
    const requests = this.#requests(respondent.tokensPerRequest);
    const failures: unknown[] = [];
    // All lanes take requests from one generator. When a lane leaves its loop early, it ends the
    // generator for the others too.
    const lane = async (): Promise<void> => {
      for (const { question, contexts, parts, index } of requests) {
        if (signal?.aborted) return;
        onProgress?.(question.label);
        const { length, treatment } = question;
        const scores = await respondent.score({ contexts, length, treatment }, signal);
        if (!scores.every(isMeasured)) throw notMeasured(question);
        parts[index] = scores;
        this.tokens += length * contexts.length;
        this.workDone += this.#work(length) * contexts.length;
        if (!parts.every((part) => part.length > 0)) continue;
        question.scores = parts.flat();
        onAnswered?.();
      }
    };
    const lanes = Array.from({ length: respondent.lanes }, () =>
      lane().catch((error: unknown) => failures.push(error)),
    );
    await Promise.all(lanes);
    if (failures.length > 0) throw failures[0];
    return this.complete;
  }

  *#requests(tokensPerRequest: number): Generator<Request> {
    for (const question of this.#questions) {
      if (question.scores) continue;
      const { contexts } = question.set;
      if (contexts.length === 0) {
        question.scores = [];
        continue;
      }
      const rows = Math.max(1, Math.floor(tokensPerRequest / question.length));
      const parts = Array.from({ length: Math.ceil(contexts.length / rows) }, () => []);
      for (let index = 0; index < parts.length; index++)
        yield {
          question,
          contexts: contexts.slice(index * rows, (index + 1) * rows),
          parts,
          index,
        };
    }
  }

  /** The answers so far, from which a later run can resume. */
  finished(): SavedAnswer[] {
    return this.#questions.flatMap((question) => {
      const { scores, length } = question;
      return scores ? [{ key: keyOf(question), length, contexts: scores.map(pack) }] : [];
    });
  }

  /** Takes over saved answers. Those that do not fit are discarded and asked again. */
  resume(saved: readonly SavedAnswer[]): void {
    this.#saved = new Map(saved.map((answer) => [answer.key, answer]));
    this.#takeOver();
  }

  #takeOver(): void {
    if (this.#saved.size === 0) return;
    for (const question of this.#questions) {
      const { length, scores, set } = question;
      const found = scores ? undefined : this.#saved.get(keyOf(question));
      if (found?.length !== length || found.contexts.length !== set.contexts.length) continue;
      const answers = found.contexts.map(unpack);
      if (!answers.every((each, c) => isPossible(each, set.contexts[c]!, length))) continue;
      question.scores = answers;
      this.tokens += tokensOf(question);
      this.workDone += this.#workOf(question);
    }
  }

  /** @returns undefined if an answer is missing because of an interruption */
  measurement({ set, questions }: Asked): Measurement | undefined {
    const at = questions.map(({ scores }) => scores);
    const { lossScale } = this.subject;
    return at.every((scores) => scores !== undefined)
      ? { contexts: set.contexts, at, lossScale }
      : undefined;
  }
}

const isMeasured = ({ logProbability }: ContextScores): boolean =>
  logProbability.every((x) => Number.isFinite(x));

/** Rounding in float32 can raise a log-probability this far above 0. */
const MOST_LOG_PROBABILITY = 1e-3;

/** Whether scores from a file are possible for a context: one per row, each a log-probability. */
function isPossible(scores: ContextScores, { rows }: Context, length: number): boolean {
  const { logProbability, correct } = scores;
  return (
    correct.length === rows.filter((row) => row < length).length &&
    correct.every((hit) => hit <= 1) &&
    isMeasured(scores) &&
    logProbability.every((x) => x <= MOST_LOG_PROBABILITY)
  );
}

/** Refuses NaN and infinity (weights that overflow, a broken device), which are no loss. */
function notMeasured({ label, set, length }: Question): RopeEvalError {
  return new RopeEvalError('not_measured', {
    problem: `the answer for ${label} is no number (${set.name} contexts, ${length} tokens)`,
  });
}

const tokensOf = ({ length, set }: Question): number => length * set.contexts.length;

function keyOf({ set, treatment }: Question): string {
  const key = `${set.name}|${treatment.digest}`;
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}

function pack({ logProbability, correct }: ContextScores): SavedAnswer['contexts'][number] {
  const { buffer, byteOffset, byteLength } = logProbability;
  return {
    logProbability: Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    correct: Buffer.from(correct).toString('base64'),
  };
}

function unpack(saved: SavedAnswer['contexts'][number]): ContextScores {
  const bytes = Uint8Array.from(Buffer.from(saved.logProbability, 'base64'));
  return {
    logProbability: new Float32Array(bytes.buffer),
    correct: Uint8Array.from(Buffer.from(saved.correct, 'base64')),
  };
}

/** Whether the scores of a saved answer are complete and not truncated. */
export function isWhole({ contexts }: SavedAnswer): boolean {
  return contexts.every(({ logProbability, correct }) => {
    const [scores, hits] = [Buffer.from(logProbability, 'base64'), Buffer.from(correct, 'base64')];
    return scores.length === hits.length * Float32Array.BYTES_PER_ELEMENT;
  });
}
