import { createHash } from 'node:crypto';
import { finding, type Finding } from '../../findings/index.js';
import {
  heldPairs,
  probeFrequencies,
  type ProbeGeometry,
  type ProbeTable,
  transfer,
  withHeldOf,
} from '../../geometry/transfer.js';
import { type Context, languageTexts, type TextSource } from '../../probes/contexts.js';
import type { ContextScores } from '../../probes/measure.js';
import type { Provider } from '../../probes/presets.js';
import type { RopeTable } from '../../rope/kind.js';
import { computeRope } from '../../rope/registry.js';
import type { ProbeModelReport } from './entry.js';
import type {
  Opened,
  Scaling,
  ScoreRequest,
  Situation,
  Subject,
  SubjectGroup,
  TrainedGroup,
  TrainedModel,
  Treatment,
} from '../subject.js';
import {
  type Batch,
  cachedTable,
  type ProbeEngine,
  type EngineInfo,
  type EngineRequest,
  type RotaryInputs,
  sharedTable,
  withTables,
} from './engine.js';
import { chooseMember, type Family, loadFamily, loadLanguage, type Member } from './family.js';
import { opener } from './pool.js';

/**
 * How many nats of LLaMA 7B one nat of the probe language stands for. Most words of the small
 * vocabulary follow from a few others, so the probe model has less to lose than a model of real
 * text: whatever the scaling, LLaMA 7B loses about this many times as much at 1x. The number is
 * fitted to its published losses (docs/method.md, "Nats") and does not affect any ranking.
 */
export const LOSS_SCALE = 1.2;

/**
 * About how many tokens one run has, by device: enough to be fast, and few enough to stop soon. A
 * GPU takes as long for few tokens as for many.
 */
export const TOKENS_PER_RUN: Readonly<Record<Provider, number>> = Object.freeze({
  cpu: 1024,
  cuda: 8192,
});

/** Tokens of a context at which attention takes as long as the rest (docs/performance.md). */
const ATTENTION_TOKENS = 1150;

/** The bundled probe model that stands in for one user's model. */
export interface ProbeModel {
  readonly member: Member;
  /** Whether the model's critical fraction lies within the range that the family can stand for. */
  readonly inRange: boolean;
  readonly geometry: ProbeGeometry;
}

/** How the probe model is run. */
export interface BundledOptions {
  /** The name of a member to take instead of the nearest one. */
  readonly member?: string | undefined;
  readonly device: EngineRequest['device'];
  readonly threads: number;
  /** false: run it in this process. */
  readonly worker?: boolean | undefined;
  /** Opens an engine; default: in its own processes. */
  readonly openEngine?: ((request: EngineRequest) => Promise<ProbeEngine>) | undefined;
}

/** A small decoder that stands in for the user's model, with scalings carried over to it. */
export class BundledSubject implements Subject<RotaryTreatment> {
  readonly window: number;
  readonly textSpan: number;
  readonly groups: readonly SubjectGroup[];
  readonly lossScale = LOSS_SCALE;
  readonly takes: Subject['takes'];
  readonly #treatments = new RotaryTreatments();
  #opened: { readonly engine: ProbeEngine; readonly scorer: ContextScorer } | undefined;

  constructor(
    readonly probe: ProbeModel,
    readonly texts: TextSource,
    groups: number,
    private readonly options: Omit<BundledOptions, 'member'>,
    private readonly findings: readonly Finding[] = [],
  ) {
    this.window = probe.member.window;
    this.textSpan = this.window / 2;
    // Held pairs depend on the length of the whole context, so they need a pass per length.
    this.takes = {
      positions: true,
      cachedKeys: probe.geometry.held ? 'pass-per-length' : 'one-pass',
    };
    this.groups = Array.from({ length: groups }, (_, group) => ({ group }));
  }

  treat(scaling: Scaling, at: Situation): RotaryTreatment {
    return this.#treatments.of(
      at.writtenAt
        ? { byIndex: this.#byIndex(scaling, at, at.writtenAt) }
        : this.table(scaling, at),
    );
  }

  workOf(length: number): number {
    return length * (1 + length / ATTENTION_TOKENS);
  }

  /** Returns the probe's table for a context of the user's tokens. */
  table(scaling: Scaling, at: Situation): ProbeTable {
    const { trained, softmaxScaleRatio, tableAt } = scaling.groups[at.group]!;
    const { tokens, window = trained.window, windows = tokens / window } = at;
    const reference =
      window === trained.window ? trained.referenceTable : computeRope(trained.reference, window);
    return transfer(this.probe.geometry, reference, tableAt(tokens), window, {
      softmaxScaleRatio,
      windows,
    });
  }

  /** Returns one table per index. Held pairs have the frequencies of the last index throughout. */
  #byIndex(
    scaling: Scaling,
    at: Situation,
    { indices, tokens }: NonNullable<Situation['writtenAt']>,
  ): ProbeTable[] {
    const group = scaling.groups[at.group]!;
    const windows = at.windows ?? at.tokens / (at.window ?? group.trained.window);
    let before: { own: RopeTable; table: ProbeTable } | undefined;
    const byIndex = Array.from({ length: indices }, (_, index) => {
      const own = group.tableAt(tokens(index));
      // Within the window, every length has the same table.
      if (!before || !sameTable(before.own, own))
        before = { own, table: this.table(scaling, { ...at, windows, tokens: tokens(index) }) };
      return before.table;
    });
    const last = byIndex.at(-1)!;
    return byIndex.map((table) => withHeldOf(this.probe.geometry, table, last));
  }

  async open(longest: number): Promise<Opened> {
    const { device, threads, worker, openEngine = opener(worker, longest) } = this.options;
    const engine = await openEngine({ member: this.probe.member.name, device, threads });
    this.#opened = { engine, scorer: new ContextScorer(engine) };
    return {
      entry: entryOf(this.probe, engine.info),
      device: engine.info.device,
      onnxruntime: engine.info.onnxruntime,
      findings: this.findings,
      lanes: engine.lanes ?? 1,
      tokensPerRequest: TOKENS_PER_RUN[engine.info.device],
    };
  }

  score(request: ScoreRequest<RotaryTreatment>): Promise<ContextScores[]> {
    if (!this.#opened) throw new Error('the probe model was not opened');
    return this.#opened.scorer.score(request);
  }

  async close(): Promise<void> {
    await this.#opened?.engine.close();
  }
}

function entryOf({ member, inRange, geometry }: ProbeModel, engine: EngineInfo): ProbeModelReport {
  return {
    kind: 'probe-model',
    name: member.name,
    criticalFraction: member.criticalFraction,
    rotaryShare: member.rotaryShare,
    window: member.window,
    theta: member.theta,
    seed: member.seed,
    weightsSha256: engine.weightsSha256,
    graphSha256: engine.graphSha256,
    inRange,
    heldPairs: geometry.held ?? 0,
    lossScale: LOSS_SCALE,
  };
}

/**
 * Returns the geometry of a member onto which a model's scalings are carried over.
 *
 * @param below whether the model's critical fraction is smaller than that of every such member, so
 *   that the member's slowest pairs are held
 * @param trained the model's group that decides about long contexts
 */
export function probeGeometry(
  { shape }: Family,
  { member, below }: { readonly member: Member; readonly below: boolean },
  trained: TrainedGroup,
): ProbeGeometry {
  const { theta, rotaryShare, window } = member;
  const probe = { invFreq: probeFrequencies(theta, shape.head_dim / 2, rotaryShare), window };
  const held = below ? heldPairs(probe, trained.referenceTable, trained.window) : 0;
  return { ...probe, held };
}

/** Chooses the member that stands in for a model, without opening anything yet. */
export async function bundledSubject(
  model: TrainedModel,
  { member: wanted, ...options }: BundledOptions,
): Promise<BundledSubject> {
  const family = await loadFamily();
  const chosen = chooseMember(family, model, wanted);
  const { member, range, inRange } = chosen;
  const language = await loadLanguage(family);
  const geometry = probeGeometry(family, chosen, model.groups[model.decisive]!);
  const outside = finding('probe_out_of_range', '', { own: model.criticalFraction, ...range });
  return new BundledSubject(
    { member, inRange, geometry },
    languageTexts(language),
    model.groups.length,
    options,
    inRange ? [] : [outside],
  );
}

/** The rotation of a pass: one table for all positions, or one per index. */
export type Rotation = ProbeTable | TablesByIndex;

/**
 * The rotation when decoding token by token with a KV cache. A key keeps the rotation of the length
 * at which it was written, and a query has that of its own length. Index t thus has the table of
 * length t + 1 for both its query and its key, and one causal pass covers every length.
 */
export interface TablesByIndex {
  /** (length,) one table per index. */
  readonly byIndex: readonly ProbeTable[];
}

/** Rotary tables in the form that the probe decoder takes. */
export interface RotaryTreatment extends Treatment {
  readonly rotation: Rotation;
}

/** Gives bit-identical tables the same treatment, whatever their names, so that they run once. */
export class RotaryTreatments {
  readonly #known = new Map<string, RotaryTreatment>();

  of(rotation: Rotation): RotaryTreatment {
    const single = 'byIndex' in rotation ? onlyTable(rotation.byIndex) : rotation;
    const used = single ?? rotation;
    const digest = digestOf(used);
    const known = this.#known.get(digest);
    if (known) return known;
    const treatment = { digest, rotation: used };
    this.#known.set(digest, treatment);
    return treatment;
  }
}

/** Returns the table if all indices share one; undefined if they differ. */
function onlyTable(byIndex: readonly ProbeTable[]): ProbeTable | undefined {
  const first = byIndex[0]!;
  return byIndex.every((table) => sameTable(table, first)) ? first : undefined;
}

function sameTable(a: ProbeTable, b: ProbeTable): boolean {
  if (a === b) return true;
  return (
    a.attentionScaling === b.attentionScaling &&
    a.headScaling === b.headScaling &&
    a.invFreq.every((x, i) => x === b.invFreq[i])
  );
}

function digestOf(rotation: Rotation): string {
  const hash = createHash('sha256');
  const tables = 'byIndex' in rotation ? rotation.byIndex : [rotation];
  for (const { invFreq, attentionScaling, headScaling = 1 } of tables) {
    hash.update(invFreq);
    hash.update(Float64Array.of(attentionScaling, headScaling));
  }
  return hash.digest('hex');
}

/** Whether some context has its own positions, so that one table of positions cannot serve all. */
const hasOwnPositions = (contexts: readonly Context[]): boolean =>
  contexts.some((context) => context.positions);

/** Turns requests into batches of the engine, and its answers into scores by context. */
export class ContextScorer {
  /** The latest table, which questions about one treatment share, shorter ones from its start. */
  #latest: { treatment: RotaryTreatment; length: number; rotary: RotaryInputs } | undefined;

  /** @param place what the model receives about positions besides the rotation, by length */
  constructor(
    private readonly engine: ProbeEngine,
    private readonly place?: (length: number) => Batch['place'],
  ) {}

  async score(request: ScoreRequest<RotaryTreatment>): Promise<ContextScores[]> {
    const { contexts, length } = request;
    // Rows ascend, so the scored tokens of a shorter length come first.
    const counts = contexts.map((c) => c.rows.filter((row) => row < length).length);
    const batch = batchOf(contexts, counts, length, this.#rotaryOf(request));
    const place = this.place?.(length);
    const { score } = batch;
    const out = await this.engine.run(place ? { ...batch, place } : batch);
    return contexts.map((_, b) => ({
      logProbability: out.logProbability.slice(b * score, b * score + counts[b]!),
      correct: out.correct.slice(b * score, b * score + counts[b]!),
    }));
  }

  #rotaryOf({ contexts, length, treatment }: ScoreRequest<RotaryTreatment>): RotaryInputs {
    if (hasOwnPositions(contexts)) return rotaryOf(treatment.rotation, length, contexts);
    if (this.#latest?.treatment !== treatment || this.#latest.length < length)
      this.#latest = { treatment, length, rotary: rotaryOf(treatment.rotation, length, contexts) };
    const { rotary } = this.#latest;
    if (rotary.rows === length) return rotary;
    return withTables(rotary, length, (table) => table.subarray(0, length * rotary.pairs));
  }
}

/**
 * Computes the rotary tables of contexts.
 *
 * @param length tokens of each
 * @returns (length,) rows, or (contexts * length,) if contexts have their own positions
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

/** Makes the batch of a request. @param counts (contexts,) scored rows within the length */
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
