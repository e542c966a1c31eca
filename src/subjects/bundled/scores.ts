import type { Context } from '../../probes/contexts.js';
import type { ContextScores } from '../../probes/measure.js';
import type { ScoreRequest } from '../subject.js';
import { cachedTable, sharedTable, type Batch, type Engine, type RotaryInputs } from './engine.js';
import type { Rotation, RotaryTreatment } from './treatment.js';

/** Whether one table of positions does not serve them all. */
const hasOwnPositions = (contexts: readonly Context[]): boolean =>
  contexts.some((context) => context.positions);

/** Turns requests into batches of the engine, and its answers into scores by context. */
export class ContextScorer {
  /** Questions about one treatment follow each other and share its table: a shorter one is its start. */
  #latest:
    | {
        readonly treatment: RotaryTreatment;
        readonly length: number;
        readonly rotary: RotaryInputs;
      }
    | undefined;

  /** @param place what the model is told of positions beside the rotation, by length */
  constructor(
    private readonly engine: Engine,
    private readonly place?: (length: number) => Batch['place'],
  ) {}

  async score({
    contexts,
    length,
    treatment,
  }: ScoreRequest<RotaryTreatment>): Promise<ContextScores[]> {
    // Rows are ascending, so the scored tokens of a shorter length come first.
    const counts = contexts.map((c) => c.rows.filter((row) => row < length).length);
    const batch = batchOf(contexts, counts, length, this.#rotaryOf(contexts, length, treatment));
    const place = this.place?.(length);
    const { score } = batch;
    const out = await this.engine.run(place ? { ...batch, place } : batch);
    return contexts.map((_, b) => ({
      logProbability: out.logProbability.slice(b * score, b * score + counts[b]!),
      correct: out.correct.slice(b * score, b * score + counts[b]!),
    }));
  }

  #rotaryOf(
    contexts: readonly Context[],
    length: number,
    treatment: RotaryTreatment,
  ): RotaryInputs {
    if (hasOwnPositions(contexts)) return rotaryOf(treatment.rotation, length, contexts);
    if (this.#latest?.treatment !== treatment || this.#latest.length < length)
      this.#latest = { treatment, length, rotary: rotaryOf(treatment.rotation, length, contexts) };
    const { rotary } = this.#latest;
    return rotary.rows === length ? rotary : firstRows(rotary, length);
  }
}

function firstRows({ pairs, qCos, qSin, kCos, kSin }: RotaryInputs, rows: number): RotaryInputs {
  const first = (table: Float32Array): Float32Array => table.subarray(0, rows * pairs);
  const [cos, sin] = [first(qCos), first(qSin)];
  const keys = kCos === qCos ? { kCos: cos, kSin: sin } : { kCos: first(kCos), kSin: first(kSin) };
  return { rows, pairs, qCos: cos, qSin: sin, ...keys };
}

/**
 * What contexts are rotated by.
 *
 * @param length tokens of each
 * @returns (length) rows; where contexts have positions of their own, (contexts * length)
 */
export function rotaryOf(
  rotation: Rotation,
  length: number,
  contexts: readonly Context[],
): RotaryInputs {
  if ('byIndex' in rotation) return cachedTable(rotation.byIndex.slice(0, length));
  const upTo = (at: Context['positions']) => Array.from({ length }, (_, t) => at?.[t] ?? t);
  const positions = hasOwnPositions(contexts)
    ? contexts.flatMap((c) => upTo(c.positions))
    : upTo(undefined);
  return sharedTable(rotation, positions);
}

/** @param counts (contexts) scored rows within the length */
function batchOf(
  contexts: readonly Context[],
  counts: readonly number[],
  length: number,
  rotary: RotaryInputs,
): Batch {
  const batch = contexts.length;
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
  return { tokens, batch, length, positions, scored, targets, score, rotary };
}
