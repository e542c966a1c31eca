import { performance } from 'node:perf_hooks';
import { parseCandidates } from '../candidates/parse.js';
import { resolveCandidate } from '../candidates/resolve.js';
import { defaultThreads, runtimeOf } from '../evaluation/conditions.js';
import { contextSets, type Sets } from '../evaluation/context-sets.js';
import { JobList } from '../evaluation/jobs.js';
import { type Rung, summariseNeedle, summariseReach, windowedLoss } from '../evaluation/summary.js';
import { readModel, requireRope } from '../model/read-model.js';
import { chooseReference } from '../model/reference.js';
import { checkOptions, ENCODINGS_OPTIONS, type EvaluateOptions } from '../options.js';
import { planOf } from '../probes/presets.js';
import { resamples } from '../probes/statistics.js';
import { computeRope, lengthDependent } from '../rope/registry.js';
import type { RopeTable } from '../rope/spec.js';
import {
  type EncodingsCard,
  type Engine,
  type EngineInfo,
  loadEncodings,
  loadFamily,
  loadLanguage,
  opener,
  ownTable,
  type RopeTwin,
  type Twin,
} from '../subjects/bundled/index.js';
import { TOOL_VERSION } from '../version.js';
import { ENCODINGS, type PositionInputs } from './registry.js';
import { type EncodingRow, ENCODINGS_SCHEMA_VERSION, type EncodingsReport } from './schema.js';

/** RoPE unscaled, and scaled as far as the ladder goes: what the other encodings stand beside. */
const ROPE_SCALINGS = Object.freeze(['none', 'dynamic:1', 'yarn:4', 'yarn:8']);

/** One row before it is run. */
export interface RowPlan {
  readonly head: Omit<EncodingRow, 'needle' | 'reach'>;
  /** (rungs that it has entries for) */
  readonly tables: readonly RopeTable[];
  /** What the model is told of positions beside the rotation. */
  readonly place: (length: number) => PositionInputs;
}

/** @param lengths the ladder, probe tokens */
export async function planTwin(
  twin: Twin,
  shape: EncodingsCard['shape'],
  lengths: readonly number[],
): Promise<RowPlan> {
  const encoding = ENCODINGS[twin.encoding];
  const table = await ownTable(twin);
  const entries = table && encoding.entries ? encoding.entries(table) : null;
  // A frequency of 0 turns nothing: cos = 1, sin = 0.
  const still = { invFreq: new Float64Array(shape.head_dim / 2), attentionScaling: 1 };
  return {
    head: {
      label: twin.encoding,
      encoding: twin.encoding,
      scaling: null,
      model: twin.name,
      weightsSha256: twin.weightsSha256,
      entries,
    },
    tables: lengths.filter((length) => entries === null || length <= entries).map(() => still),
    place: (length) => encoding.inputs(length, shape, table),
  };
}

/** RoPE: the probe is the model itself here, so that no scaling has to be carried over. */
export function planRope(
  member: RopeTwin,
  shape: EncodingsCard['shape'],
  lengths: readonly number[],
): RowPlan[] {
  const config = {
    model_type: 'llama',
    hidden_size: shape.heads * shape.head_dim,
    num_attention_heads: shape.heads,
    num_hidden_layers: shape.layers,
    max_position_embeddings: member.window,
    rope_theta: member.theta,
  };
  const model = requireRope(readModel(config));
  const reference = chooseReference(model);
  return parseCandidates(ROPE_SCALINGS.join(',')).map((definition): RowPlan => {
    const spec = resolveCandidate(definition, model, reference).specs[0]!;
    const only = computeRope(spec, member.window);
    const scaling = definition.method === 'none' ? null : definition.label;
    return {
      head: {
        label: scaling === null ? 'rope' : `rope ${scaling}`,
        encoding: 'rope',
        scaling,
        model: member.name,
        weightsSha256: member.weightsSha256,
        entries: null,
      },
      tables: lengths.map((length) => (lengthDependent(spec) ? computeRope(spec, length) : only)),
      place: () => ({}),
    };
  });
}

/** Rows that run on the same weights; the first is what the others are measured against. */
export class RowGroup {
  readonly #jobs = new JobList();

  constructor(
    readonly plans: readonly RowPlan[],
    private readonly sets: Sets,
  ) {
    for (const { tables, head } of plans) {
      this.#jobs.add(sets.long, tables, head.label);
      this.#jobs.add(sets.longText, tables, head.label);
    }
    this.#jobs.add(sets.windows, this.#home.tables.slice(0, 1), this.#home.head.label);
  }

  get #home(): RowPlan {
    return this.plans[0]!;
  }

  get model(): string {
    return this.#home.head.model;
  }

  get tokens(): number {
    return this.#jobs.totalTokens;
  }

  /** @returns false where the signal stopped it */
  run(
    engine: Engine,
    onProgress: (done: number, label: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    return this.#jobs.run(placed(engine, this.#home.place), onProgress, signal);
  }

  /** The finished rows. @param chance accuracy of guessing */
  rows(rungs: readonly Rung[], seed: number, chance: number): EncodingRow[] {
    const { long, longText, windows } = this.sets;
    const [facts, text] = [long, longText].map((set) =>
      this.#jobs.measurement(set, this.#home.tables),
    );
    const near = this.#jobs.measurement(windows, this.#home.tables.slice(0, 1));
    if (!facts || !text || !near) throw new Error(`${this.model} was not run to the end`);
    const windowed = windowedLoss(near, rungs.length);
    return this.plans.map(({ head, tables }) => {
      const shared = { rungs: rungs.slice(0, tables.length), home: 0 };
      const measuredFacts = {
        ...shared,
        set: long,
        draws: resamples(long.contexts.length, seed),
        reference: facts,
        measurement: this.#jobs.measurement(long, tables)!,
      };
      const measuredText = {
        ...shared,
        set: longText,
        draws: resamples(longText.contexts.length, seed),
        reference: text,
        measurement: this.#jobs.measurement(longText, tables)!,
        windowed,
      };
      const needle = summariseNeedle(measuredFacts, measuredText);
      const reach = summariseReach(measuredFacts);
      return {
        ...head,
        needle,
        // Half of nothing is soon kept.
        reach:
          needle[0]!.accuracy.low <= chance
            ? null
            : // A table that ends is a limit, not a ladder that was too short.
              { ...reach, censored: reach.censored && tables.length === rungs.length },
      };
    });
  }
}

/** An engine that tells the model of positions what its encoding tells. */
function placed(engine: Engine, place: RowPlan['place']): Engine {
  // A length has many batches.
  const known = new Map<number, ReturnType<RowPlan['place']>>();
  const placeOf = (length: number): ReturnType<RowPlan['place']> => {
    const found = known.get(length) ?? place(length);
    known.set(length, found);
    return found;
  };
  return {
    info: engine.info,
    lanes: engine.lanes ?? 1,
    run: (batch) => engine.run({ ...batch, place: placeOf(batch.length) }),
    close: () => engine.close(),
  };
}

/** Window multiples at which every encoding is asked. */
export const LADDER = Object.freeze([1, 2, 4, 8]);

export interface CompareEncodingsOptions extends Pick<
  EvaluateOptions,
  'preset' | 'device' | 'seed' | 'samples' | 'threads' | 'worker' | 'signal' | 'onProgress'
> {
  /** Encodings to run, beside unscaled RoPE; none: nothing is run. Default: all, RoPE scaled too. */
  readonly encodings?: readonly string[];
}

export type CompareEncodings = (options?: CompareEncodingsOptions) => Promise<EncodingsReport>;

/**
 * Twins of the probe model that differ in their position encoding alone, on the same contexts at
 * 1x, 2x, 4x and 8x of the window that all were trained on; RoPE beside them, with and without
 * scaling.
 *
 * One seed, one thread count, one machine: the same report but for `createdAt` and `timings`.
 *
 * @throws RopeEvalError exit 2 for a bad option, 3 where the twins are missing or the runtime fails
 */
export const compareEncodings: CompareEncodings = async (options = {}) => {
  checkOptions(options, ENCODINGS_OPTIONS);
  const started = performance.now();
  const { preset = 'standard', seed = 1, device = 'auto', encodings } = options;
  const plan = planOf(preset, options.samples);
  const threads = options.threads ?? defaultThreads();
  const [card, family] = await Promise.all([loadEncodings(), loadFamily()]);
  const { window } = card.rope;
  const ladder = LADDER.map((multiple) => ({ multiple, tokens: multiple * window }));
  const lengths = ladder.map((rung) => rung.tokens);
  const sets = contextSets(
    await loadLanguage(family),
    window,
    LADDER,
    { ...plan, short: 0, shortText: 0, apart: 0 },
    seed,
    LADDER.at(-1)!,
  );
  const rope = planRope(card.rope, card.shape, lengths);
  const wanted = card.twins.filter((t) => encodings?.includes(t.encoding) ?? true);
  const twins = await Promise.all(wanted.map((twin) => planTwin(twin, card.shape, lengths)));
  const plans = [encodings ? rope.slice(0, 1) : rope, ...twins.map((twin) => [twin])];
  const groups = encodings?.length === 0 ? [] : plans.map((list) => new RowGroup(list, sets));

  const { contexts } = sets.long;
  const chance = contexts.reduce((sum, c) => sum + c.chance, 0) / contexts.length;
  const total = groups.reduce((sum, group) => sum + group.tokens, 0);
  const open = opener(options.worker, lengths.at(-1)!);
  const rows: EncodingRow[] = [];
  let info: EngineInfo | undefined;
  let tokens = 0;
  for (const group of groups) {
    if (options.signal?.aborted) break;
    const engine = await open({ member: group.model, graph: 'encodings', device, threads });
    info = engine.info;
    try {
      const complete = await group.run(
        engine,
        (done, label) => options.onProgress?.({ done: tokens + done, total, label }),
        options.signal,
      );
      if (!complete) break;
    } finally {
      await engine.close();
    }
    tokens += group.tokens;
    rows.push(...group.rows(ladder, seed, chance));
  }
  return {
    schemaVersion: ENCODINGS_SCHEMA_VERSION,
    tool: { name: 'rope-eval', version: TOOL_VERSION },
    createdAt: new Date().toISOString(),
    status: tokens === total ? 'complete' : 'interrupted',
    findings: [],
    settings: {
      preset,
      seed,
      contexts: { long: plan.long, longText: plan.longText },
      threads,
      deviceAsked: device,
      device: info?.device ?? null,
      ladder,
    },
    graphSha256: card.graphSha256,
    runtime: info ? runtimeOf(info.onnxruntime) : null,
    chance,
    rows,
    timings: { totalMs: performance.now() - started, tokens },
  };
};
