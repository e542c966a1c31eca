import { createHash } from 'node:crypto';
import type { Context } from '../probes/contexts.js';
import type { ContextScores, Measurement } from '../probes/measure.js';
import {
  cachedTable,
  type Engine,
  type RotaryInputs,
  sharedTable,
} from '../subjects/bundled/index.js';
import { type Rotation, rotationKey } from './tables.js';

/** One job of an unfinished report: scores of each context, float32 and bytes, base64. */
export interface SavedJob {
  readonly key: string;
  readonly length: number;
  readonly contexts: { readonly logProbability: string; readonly correct: string }[];
}

/** As it is saved. */
export function pack({ logProbability, correct }: ContextScores): SavedJob['contexts'][number] {
  const bytes = Buffer.from(
    logProbability.buffer,
    logProbability.byteOffset,
    logProbability.byteLength,
  );
  return {
    logProbability: bytes.toString('base64'),
    correct: Buffer.from(correct).toString('base64'),
  };
}

/** As it was measured. */
export function unpack(saved: SavedJob['contexts'][number]): ContextScores {
  const bytes = Uint8Array.from(Buffer.from(saved.logProbability, 'base64'));
  return {
    logProbability: new Float32Array(bytes.buffer),
    correct: Uint8Array.from(Buffer.from(saved.correct, 'base64')),
  };
}

/** Whether one table of positions does not serve them all. */
export const hasOwnPositions = (contexts: readonly Context[]): boolean =>
  contexts.some((c) => c.positions);

/**
 * What contexts are rotated by.
 *
 * @param length tokens of each
 * @returns (length) rows; where contexts have positions of their own, (contexts * length)
 */
export function rotaryOf(
  table: Rotation,
  length: number,
  contexts: readonly Context[],
): RotaryInputs {
  if ('byIndex' in table) return cachedTable(table.byIndex.slice(0, length));
  const upTo = (at: Context['positions']) => Array.from({ length }, (_, t) => at?.[t] ?? t);
  const positions = hasOwnPositions(contexts)
    ? contexts.flatMap((c) => upTo(c.positions))
    : upTo(undefined);
  return sharedTable(table, positions);
}

/** Runs contexts of one length at once. @returns scores in the order of the contexts */
export async function runBatch(
  engine: Engine,
  length: number,
  contexts: readonly Context[],
  rotary: RotaryInputs,
): Promise<ContextScores[]> {
  const batch = contexts.length;
  // Rows are ascending, so the scored tokens of a shorter length come first.
  const counts = contexts.map((c) => c.rows.filter((row) => row < length).length);
  const score = Math.max(1, ...counts);
  const own = hasOwnPositions(contexts);
  const tokens = new BigInt64Array(batch * length);
  const positions = new BigInt64Array(batch * length);
  const scored = new BigInt64Array(batch * score);
  const targets = new BigInt64Array(batch * score);
  contexts.forEach((context, b) => {
    for (let t = 0; t < length; t++) {
      tokens[b * length + t] = BigInt(context.tokens[t]!);
      positions[b * length + t] = BigInt(own ? b * length + t : t);
    }
    for (let i = 0; i < counts[b]!; i++) {
      scored[b * score + i] = BigInt(context.rows[i]!);
      targets[b * score + i] = BigInt(context.targets[i]!);
    }
  });
  const out = await engine.run({
    tokens,
    batch,
    length,
    positions,
    scored,
    targets,
    score,
    rotary,
  });
  return contexts.map((_, b) => ({
    logProbability: out.logProbability.slice(b * score, b * score + counts[b]!),
    correct: out.correct.slice(b * score, b * score + counts[b]!),
  }));
}

/** Contexts that share a shape. */
export interface ContextSet {
  readonly name:
    | 'short'
    | 'short-text'
    | 'long'
    | `long from ${number}`
    | 'long-text'
    | 'windows'
    | 'stretched'
    | 'squeezed'
    | 'offset'
    | `switch ${number}`
    | `switch-text ${number}`;
  readonly contexts: readonly Context[];
  /** Rungs in probe tokens, ascending. */
  readonly lengths: readonly number[];
}

interface Job {
  readonly set: ContextSet;
  readonly table: Rotation;
  /** Tokens of each context that this table is needed for. */
  length: number;
  readonly label: string;
  scores: ContextScores[] | undefined;
}

/** One run: contexts of a job. */
interface Piece {
  readonly job: Job;
  readonly contexts: readonly Context[];
  readonly rotary: RotaryInputs;
  /** Scores of all the job's pieces; empty where one has not been run. */
  readonly parts: ContextScores[][];
  readonly index: number;
}

/** About this many tokens in one run: large enough to be fast, small enough to stop soon. */
const TOKENS_PER_RUN = 1024;

/**
 * Collects what has to be run, each table once: candidates share jobs where their tables agree,
 * and one pass over the longest context serves all shorter rungs.
 */
export class JobList {
  readonly #jobs = new Map<string, Job>();
  /** Work of an earlier run, by key. */
  #saved: ReadonlyMap<string, SavedJob> = new Map();
  /** Tokens run so far. */
  tokens = 0;

  /** Asks for a scaling's tables (one per rung) on a set; the result is read with `measurement`. */
  add(set: ContextSet, tables: readonly Rotation[], label: string): void {
    tables.forEach((table, rung) => {
      const key = `${set.name}|${rotationKey(table)}`;
      const length = set.lengths[rung]!;
      const job = this.#jobs.get(key);
      if (job) job.length = Math.max(job.length, length);
      else this.#jobs.set(key, { set, table, length, label, scores: undefined });
    });
  }

  get totalTokens(): number {
    return [...this.#jobs.values()].reduce((sum, j) => sum + j.length * j.set.contexts.length, 0);
  }

  /**
   * Runs what is left, as much at once as the engine takes.
   *
   * @returns false where the signal stopped it
   * @throws what a run threw, after the runs that were under way have ended
   */
  async run(
    engine: Engine,
    onProgress: (done: number, label: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    this.#takeOver(); // for jobs that were added since
    const work = this.#pieces();
    const failures: unknown[] = [];
    // All lanes draw from one generator, and one that leaves its loop ends it for all.
    const lane = async (): Promise<void> => {
      for (const { job, contexts, rotary, parts, index } of work) {
        if (signal?.aborted) return;
        onProgress(this.tokens, job.label);
        parts[index] = await runBatch(engine, job.length, contexts, rotary);
        this.tokens += job.length * contexts.length;
        if (parts.every((part) => part.length > 0)) job.scores = parts.flat();
      }
    };
    const lanes = Array.from({ length: engine.lanes ?? 1 }, () =>
      lane().catch((error: unknown) => failures.push(error)),
    );
    await Promise.all(lanes);
    if (failures.length > 0) throw failures[0];
    return [...this.#jobs.values()].every((job) => job.scores);
  }

  /** What is left to run, in order: batches, each with the place for its scores. */
  *#pieces(): Generator<Piece> {
    for (const job of this.#jobs.values()) {
      if (job.scores) continue;
      const { contexts } = job.set;
      if (contexts.length === 0) {
        job.scores = [];
        continue;
      }
      const rows = Math.max(1, Math.floor(TOKENS_PER_RUN / job.length));
      const parts = Array.from({ length: Math.ceil(contexts.length / rows) }, () => []);
      const tables = (some: readonly Context[]) => rotaryOf(job.table, job.length, some);
      const shared = hasOwnPositions(contexts) ? undefined : tables(contexts);
      for (let index = 0; index < parts.length; index++) {
        const some = contexts.slice(index * rows, (index + 1) * rows);
        yield { job, contexts: some, rotary: shared ?? tables(some), parts, index };
      }
    }
  }

  /** The finished work, for a later run that goes on from it. */
  finished(): SavedJob[] {
    return [...this.#jobs].flatMap(([key, job]) =>
      job.scores
        ? [{ key: shortKey(key), length: job.length, contexts: job.scores.map(pack) }]
        : [],
    );
  }

  /** Finished work, which is not done again. What does not fit these jobs is run all the same. */
  resume(saved: readonly SavedJob[]): void {
    this.#saved = new Map(saved.map((s) => [s.key, s]));
    this.#takeOver();
  }

  #takeOver(): void {
    for (const [key, job] of this.#jobs) {
      const found = this.#saved.get(shortKey(key));
      if (job.scores || found?.length !== job.length) continue;
      if (found.contexts.length !== job.set.contexts.length) continue;
      job.scores = found.contexts.map(unpack);
      this.tokens += job.length * job.set.contexts.length;
    }
  }

  /** @returns undefined where some table has not been run (interrupted), or not to its length */
  measurement(set: ContextSet, tables: readonly Rotation[]): Measurement | undefined {
    const at = tables.map((t, rung) => {
      const job = this.#jobs.get(`${set.name}|${rotationKey(t)}`);
      // Another scaling may share the table at shorter lengths alone.
      return job && job.length >= set.lengths[rung]! ? job.scores : undefined;
    });
    return at.every((s) => s !== undefined) ? { contexts: set.contexts, at } : undefined;
  }
}

function shortKey(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}
