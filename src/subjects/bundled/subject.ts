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
import type { ProbeModelReport } from '../schema.js';
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
  type Engine,
  type EngineInfo,
  type EngineRequest,
  type RotaryInputs,
  sharedTable,
} from './engine.js';
import { chooseMember, type Family, loadFamily, loadLanguage, type Member } from './family.js';
import { opener } from './pool.js';

/**
 * Nats of LLaMA 7B that one nat of the probe language stands for. Words of a small vocabulary,
 * most of them foreseen from a few others, have less to lose than text: at 1x LLaMA 7B loses about
 * this many times what the probe model does, whatever the scaling. Fitted to its published losses
 * (docs/method.md, "Nats"); it orders nothing.
 */
export const LOSS_SCALE = 1.2;

/**
 * About this many tokens in one run, by device: large enough to be fast, small enough to stop soon.
 * A GPU takes as long for few as for many.
 */
export const TOKENS_PER_RUN: Readonly<Record<Provider, number>> = Object.freeze({
  cpu: 1024,
  cuda: 8192,
});

/** Tokens of a context at which attention takes as long as everything else (docs/performance.md). */
const ATTENTION_TOKENS = 1150;

/** The bundled probe model, as it is used for one model. */
export interface ProbeModel {
  readonly member: Member;
  /** The model's critical fraction lies within what the family is known to stand for. */
  readonly inRange: boolean;
  readonly geometry: ProbeGeometry;
}

/** How it is run. */
export interface BundledOptions {
  /** Name of a member to take instead of the nearest one. */
  readonly member?: string | undefined;
  readonly device: EngineRequest['device'];
  readonly threads: number;
  /** false: in this process. */
  readonly worker?: boolean | undefined;
  /** Opens an engine; default: in processes of its own. */
  readonly openEngine?: ((request: EngineRequest) => Promise<Engine>) | undefined;
}

/** A small decoder that stands in for a model: scalings are carried over to its own frequencies. */
export class BundledSubject implements Subject<RotaryTreatment> {
  readonly window: number;
  readonly textSpan: number;
  readonly groups: readonly SubjectGroup[];
  readonly lossScale = LOSS_SCALE;
  readonly takes: Subject['takes'];
  readonly #treatments = new RotaryTreatments();
  #opened: { readonly engine: Engine; readonly scorer: ContextScorer } | undefined;

  constructor(
    readonly probe: ProbeModel,
    readonly texts: TextSource,
    groups: number,
    private readonly options: Omit<BundledOptions, 'member'>,
    private readonly findings: readonly Finding[] = [],
  ) {
    this.window = probe.member.window;
    this.textSpan = this.window / 2;
    // Held pairs follow the length of the whole context.
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

  /** The probe's table for a context of the user's tokens. */
  table(scaling: Scaling, at: Situation): ProbeTable {
    const { trained, softmaxScaleRatio, tableAt } = scaling.groups[at.group]!;
    const { tokens, window = trained.window, windows = tokens / window } = at;
    return transfer(this.probe.geometry, tableOver(trained, window), tableAt(tokens), window, {
      softmaxScaleRatio,
      windows,
    });
  }

  /** Held pairs are those of the last index throughout. */
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
      // Inside the window every length has the same table.
      if (!before || !sameRope(before.own, own))
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

function tableOver(trained: TrainedGroup, window: number): RopeTable {
  return window === trained.window
    ? trained.referenceTable
    : computeRope(trained.reference, window);
}

function sameRope(a: RopeTable, b: RopeTable): boolean {
  if (a === b) return true;
  return a.attentionScaling === b.attentionScaling && a.invFreq.every((x, i) => x === b.invFreq[i]);
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
 * A member, as the scalings of a model are carried over to it.
 *
 * @param trained the model's group that decides about long contexts
 * @param below the model's critical fraction is smaller than that of every member of its kind: the
 *   member's slowest pairs are held
 */
export function probeGeometry(
  { shape }: Family,
  { theta, rotaryShare, window }: Member,
  trained: TrainedGroup,
  below: boolean,
): ProbeGeometry {
  const probe = { invFreq: probeFrequencies(theta, shape.head_dim / 2, rotaryShare), window };
  const held = below ? heldPairs(probe, trained.referenceTable, trained.window) : 0;
  return { ...probe, held };
}

/** Chooses the member that stands in for a model; nothing is opened yet. */
export async function bundledSubject(
  model: TrainedModel,
  { member: wanted, ...options }: BundledOptions,
): Promise<BundledSubject> {
  const family = await loadFamily();
  const { member, range, inRange, below } = chooseMember(family, model, wanted);
  const language = await loadLanguage(family);
  const geometry = probeGeometry(family, member, model.groups[model.decisive]!, below);
  const outside = finding('probe_out_of_range', '', { own: model.criticalFraction, ...range });
  return new BundledSubject(
    { member, inRange, geometry },
    languageTexts(language),
    model.groups.length,
    options,
    inRange ? [] : [outside],
  );
}

/** What a pass rotates by: one table for all positions, or one for each index. */
export type Rotation = ProbeTable | TablesByIndex;

/**
 * Decoding token by token with a KV cache: a key keeps the rotation of the length at which it was
 * written, and a query has that of its own length. Index t thus has the table of length t + 1, for
 * its query and its key alike, and one causal pass gives every length.
 */
export interface TablesByIndex {
  /** (length) one table an index. */
  readonly byIndex: readonly ProbeTable[];
}

/** Rotary tables, as the probe decoder takes them. */
export interface RotaryTreatment extends Treatment {
  readonly rotation: Rotation;
}

/** Gives bit-identical tables one treatment, whatever they are called: they are run once. */
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

/** The one table that all indices have; undefined where they differ. */
function onlyTable(byIndex: readonly ProbeTable[]): ProbeTable | undefined {
  const first = byIndex[0]!;
  return byIndex.every((table) => sameTable(table, first)) ? first : undefined;
}

export function sameTable(a: ProbeTable, b: ProbeTable): boolean {
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
