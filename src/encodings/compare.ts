import { performance } from 'node:perf_hooks';
import { parseCandidates } from '../candidates/definition.js';
import { resolveCandidate } from '../candidates/resolve.js';
import {
  type AnswerOptions,
  type Asked,
  QuestionList,
  type Respondent,
} from '../evaluation/questions.js';
import { contextSets, type ContextSets } from '../evaluation/series.js';
import { defaultThreads, runtimeOf } from '../evaluation/setup.js';
import { summariseNeedle, summariseReach, windowedLoss } from '../evaluation/results.js';
import { chooseReference } from '../model/evidence.js';
import { readModel, requireRope } from '../model/read-model.js';
import { checkOptions, type CompareEncodingsOptions, ENCODINGS_OPTIONS } from '../options.js';
import { languageTexts } from '../probes/contexts.js';
import { type Measurement, resamples } from '../probes/measure.js';
import { DEFAULT_SEED, planOf, type Preset, PRESETS } from '../probes/presets.js';
import type { Length } from '../report/schema/values.js';
import type { RopeTable } from '../rope/kind.js';
import { computeRope, lengthDependent } from '../rope/registry.js';
import type { EngineInfo, EngineRequest, ProbeEngine } from '../subjects/bundled/engine.js';
import { loadFamily, loadLanguage } from '../subjects/bundled/family.js';
import { opener } from '../subjects/bundled/pool.js';
import {
  ContextScorer,
  LOSS_SCALE,
  type RotaryTreatment,
  RotaryTreatments,
  TOKENS_PER_RUN,
} from '../subjects/bundled/subject.js';
import type { ScoreRequest } from '../subjects/subject.js';
import { TOOL_VERSION } from '../version.js';
import { ENCODINGS, type PositionInputs } from './registry.js';
import { type EncodingRow, ENCODINGS_SCHEMA_VERSION, type EncodingsReport } from './schema.js';
import { type EncodingsCard, loadEncodings, ownTable, type RopeTwin, type Twin } from './twins.js';

/** RoPE unscaled, and scaled as far as the ladder goes, beside which the others stand. */
const ROPE_SCALINGS = Object.freeze(['none', 'dynamic:1', 'yarn:4', 'yarn:8']);

/** A row before it is run. */
export interface RowPlan {
  readonly head: Omit<EncodingRow, 'needle' | 'reach'>;
  /** (rungs,) for those that the encoding has entries for. */
  readonly tables: readonly RopeTable[];
  /** What the model receives about positions besides the rotation. */
  readonly place: (length: number) => PositionInputs;
}

/** Plans the row of a twin. @param lengths the ladder, probe tokens */
export async function planTwin(
  twin: Twin,
  shape: EncodingsCard['shape'],
  lengths: readonly number[],
): Promise<RowPlan> {
  const encoding = ENCODINGS[twin.encoding];
  const table = await ownTable(twin);
  const entries = table && encoding.entries ? encoding.entries(table) : null;
  // A frequency of 0 rotates nothing: cos = 1, sin = 0.
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

/**
 * Plans the rows of RoPE. The probe is the model itself here, so no scaling has to be carried over.
 *
 * @param lengths the ladder, probe tokens
 */
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

/** Rows that run on the same weights. The others are compared with the first one. */
class RowGroup {
  readonly #questions = new QuestionList({ lossScale: LOSS_SCALE });
  readonly #rows: readonly {
    readonly plan: RowPlan;
    readonly facts: Asked;
    readonly text: Asked;
  }[];
  /** The text of the first row, with each rung within one window. */
  readonly #windows: Asked;

  constructor(
    readonly plans: readonly RowPlan[],
    private readonly sets: ContextSets,
  ) {
    const treatments = new RotaryTreatments();
    const home = treatments.of(plans[0]!.tables[0]!);
    this.#rows = plans.map((plan) => {
      const { label } = plan.head;
      const rungs = plan.tables.map((table) => treatments.of(table));
      return {
        plan,
        facts: this.#questions.ask(sets.ladder, rungs, label),
        text: this.#questions.ask(sets.ladderText, rungs, label),
      };
    });
    this.#windows = this.#questions.ask(sets.windows, [home], plans[0]!.head.label);
  }

  get model(): string {
    return this.plans[0]!.head.model;
  }

  get tokens(): number {
    return this.#questions.totalTokens;
  }

  get answered(): number {
    return this.#questions.tokens;
  }

  /** Runs all rows. @returns false if the signal stopped the run */
  run(engine: ProbeEngine, options: AnswerOptions): Promise<boolean> {
    const scorer = new ContextScorer(engine, rememberByLength(this.plans[0]!.place));
    const respondent: Respondent = {
      lanes: engine.lanes ?? 1,
      tokensPerRequest: TOKENS_PER_RUN[engine.info.device],
      score: (request) => scorer.score(request as ScoreRequest<RotaryTreatment>),
    };
    return this.#questions.answer(respondent, options);
  }

  /** Returns the finished rows. @param chance accuracy of guessing */
  rows(rungs: readonly Length[], seed: number, chance: number): EncodingRow[] {
    const of = (asked: Asked): Measurement => {
      const found = this.#questions.measurement(asked);
      if (!found) throw new Error(`${this.model} was not run to the end`);
      return found;
    };
    const [home] = this.#rows;
    const windowed = windowedLoss(of(this.#windows), rungs.length);
    return this.#rows.map(({ plan: { head, tables }, facts, text }) => {
      const measured = (own: Asked, base: Asked) => ({
        rungs: rungs.slice(0, tables.length),
        home: 0,
        draws: resamples(own.set.contexts.length, seed),
        reference: of(base),
        measurement: of(own),
      });
      const measuredFacts = measured(facts, home!.facts);
      const needle = summariseNeedle(measuredFacts, { ...measured(text, home!.text), windowed });
      const reach = summariseReach(measuredFacts);
      return {
        ...head,
        needle,
        // A row that only guesses has no reach, because half of almost nothing is easy to keep.
        reach:
          needle[0]!.accuracy.low <= chance
            ? null
            : // A table that ends is a limit of the encoding and not a ladder that was too short.
              { ...reach, censored: reach.censored && tables.length === rungs.length },
      };
    });
  }
}

/** Remembers what an encoding adds at each length: it is large, and a length has many batches. */
function rememberByLength(place: RowPlan['place']): RowPlan['place'] {
  const known = new Map<number, ReturnType<RowPlan['place']>>();
  return (length) => {
    const found = known.get(length) ?? place(length);
    known.set(length, found);
    return found;
  };
}

/** The window multiples at which every encoding is asked. */
export const LADDER = Object.freeze([1, 2, 4, 8]);

/** The type of `compareEncodings`. */
export type CompareEncodings = (options?: CompareEncodingsOptions) => Promise<EncodingsReport>;

/**
 * Compares position encodings on twins of the probe model that differ in nothing else. All are
 * asked the same contexts at 1x, 2x, 4x and 8x of their common trained window. RoPE is among them,
 * with and without scaling.
 *
 * The same seed, thread count and machine give the same report except for `createdAt` and
 * `timings`.
 *
 * @throws RopeEvalError exit 2 for a bad option, 3 if the twins are missing or the runtime fails
 */
export const compareEncodings: CompareEncodings = async (options = {}) => {
  checkOptions(options, ENCODINGS_OPTIONS);
  const started = performance.now();
  const { preset = 'standard', seed = DEFAULT_SEED, device = 'auto', threads } = options;
  const run = await prepare({ ...options, preset, seed });
  const asked = { device, threads: threads ?? defaultThreads() };
  const { rows, tokens, total, info } = await runGroups(run, { ...options, ...asked });
  const { long, longText } = run.plan;
  return {
    schemaVersion: ENCODINGS_SCHEMA_VERSION,
    tool: { name: 'rope-eval', version: TOOL_VERSION },
    createdAt: new Date().toISOString(),
    status: tokens === total ? 'complete' : 'interrupted',
    findings: [],
    settings: {
      preset,
      seed,
      contexts: { long, longText },
      threads: asked.threads,
      deviceAsked: device,
      device: info?.device ?? null,
      ladder: run.ladder,
    },
    graphSha256: run.graphSha256,
    runtime: info ? runtimeOf(info.onnxruntime) : null,
    chance: run.chance,
    rows,
    timings: { totalMs: performance.now() - started, tokens },
  };
};

/** Everything that is decided before an engine is opened. */
async function prepare(options: CompareEncodingsOptions & { preset: Preset; seed: number }) {
  const { preset, seed, encodings } = options;
  const plan = planOf(PRESETS[preset], options.samples);
  const [card, family] = await Promise.all([loadEncodings(), loadFamily()]);
  const { window } = card.rope;
  const ladder = LADDER.map((multiple) => ({ multiple, tokens: multiple * window }));
  const lengths = ladder.map((rung) => rung.tokens);
  const sets = contextSets({
    texts: languageTexts(await loadLanguage(family)),
    window,
    textSpan: window / 2,
    multiples: LADDER,
    samples: { ...plan, short: 0, shortText: 0 },
    seed,
  });
  const rope = planRope(card.rope, card.shape, lengths);
  const wanted = card.twins.filter((t) => encodings?.includes(t.encoding) ?? true);
  const twins = await Promise.all(wanted.map((twin) => planTwin(twin, card.shape, lengths)));
  const plans = [encodings ? rope.slice(0, 1) : rope, ...twins.map((twin) => [twin])];
  const groups = encodings?.length === 0 ? [] : plans.map((list) => new RowGroup(list, sets));
  const { contexts } = sets.ladder;
  const chance = contexts.reduce((sum, c) => sum + c.chance, 0) / contexts.length;
  return { plan, ladder, groups, chance, seed, graphSha256: card.graphSha256 };
}

/** Runs one group after the other, each on an engine of its own, until the signal stops it. */
async function runGroups(
  { groups, ladder, chance, seed }: Awaited<ReturnType<typeof prepare>>,
  options: CompareEncodingsOptions & Pick<EngineRequest, 'device' | 'threads'>,
) {
  const { device, threads, signal, onProgress } = options;
  const total = groups.reduce((sum, group) => sum + group.tokens, 0);
  const open = opener(options.worker, ladder.at(-1)!.tokens);
  const rows: EncodingRow[] = [];
  let info: EngineInfo | undefined;
  let tokens = 0;
  for (const group of groups) {
    if (signal?.aborted) break;
    const engine = await open({ member: group.model, graph: 'encodings', device, threads });
    info = engine.info;
    try {
      const complete = await group.run(engine, {
        signal,
        onProgress: (label) => onProgress?.({ done: tokens + group.answered, total, label }),
      });
      if (!complete) break;
    } finally {
      await engine.close();
    }
    tokens += group.tokens;
    rows.push(...group.rows(ladder, seed, chance));
  }
  return { rows, tokens, total, info };
}
