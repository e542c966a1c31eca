import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { option, RopeEvalError, words } from '../../errors.js';
import { stored } from '../../geometry/fingerprint.js';
import type { ContextScores } from '../../probes/measure.js';
import {
  type PresetPlan,
  type PRESETS,
  probeTokens,
  questionsPerRung,
  SHORT_RUNGS,
} from '../../probes/presets.js';
import type { RopeTable } from '../../rope/kind.js';
import type {
  Opened,
  Scaling,
  ScoreRequest,
  Situation,
  Subject,
  TrainedModel,
  Treatment,
} from '../subject.js';
import { Worker } from '../worker.js';
import { compareTables, type ConfiguredModel, exportFindings, groupsOfSites } from './compare.js';
import { millisecondsAt, type Pace, paceOf, type TimedContext } from './cost.js';
import type { OnnxDecoderReport } from './entry.js';
import { linksFolder } from './exported.js';
import { errors } from './refusals.js';
import { rotaryValues, type RotaryValues } from './rotary.js';
import {
  type DecoderInfo,
  type DecoderRequest,
  type DecoderRun,
  DecoderSession,
} from './session.js';
import { bundledTexts, TokenizedTexts } from './texts.js';
import { findModel, loadTokenizer, type ModelFiles } from './tokenizer.js';

/** A table for each layer group of the user's model. */
export interface TablesTreatment extends Treatment {
  /** One per group of the model. */
  readonly tables: readonly RopeTable[];
}

/** Gives equal tables the same treatment, so that they run once. */
export class TableTreatments {
  readonly #known = new Map<string, TablesTreatment>();

  of(scaling: Scaling, { tokens }: Situation): TablesTreatment {
    const tables = scaling.groups.map((group) => withSoftmaxScale(group.tableAt(tokens), group));
    const hash = createHash('sha256');
    for (const { invFreq, attentionScaling } of tables) {
      hash.update(Float64Array.from(invFreq));
      hash.update(Float64Array.of(attentionScaling));
    }
    const digest = hash.digest('hex');
    const known = this.#known.get(digest) ?? { digest, tables };
    this.#known.set(digest, known);
    return known;
  }
}

/** Applies a ratio on q·k as its root on both. This is valid only if the whole head rotates. */
function withSoftmaxScale(
  table: RopeTable,
  { softmaxScaleRatio }: Scaling['groups'][number],
): RopeTable {
  if (softmaxScaleRatio === 1) return table;
  return { ...table, attentionScaling: table.attentionScaling * Math.sqrt(softmaxScaleRatio) };
}

/** What the decoder needs of the user's model besides what its weights were trained with. */
export interface DecoderShape extends ConfiguredModel {
  readonly attention: {
    readonly layers: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    /** The widths of a head with positions and without, in latent attention. */
    readonly latent?: { readonly ropeDim: number; readonly nopeDim: number };
  };
}

/**
 * Returns the heads and the width of the keys that a graph keeps. Exporters write the keys of latent
 * attention out for every head, with and without positions.
 */
export function cachedKeys({
  heads,
  kvHeads,
  headDim,
  latent,
}: DecoderShape['attention']): Pick<DecoderRequest, 'keyHeads' | 'headDim'> {
  return latent
    ? { keyHeads: heads, headDim: latent.ropeDim + latent.nopeDim }
    : { keyHeads: kvHeads, headDim };
}

/** Scores contexts with a user's decoder, one at a time. */
export class DecoderScorer {
  /** The latest values, for the questions about one treatment, which follow each other. */
  #latest: { treatment: TablesTreatment; length: number; values: RotaryValues[] } | undefined;

  constructor(
    private readonly decoder: Decoder,
    private readonly siteGroups: readonly number[],
    private readonly model: ConfiguredModel,
  ) {}

  async score(
    { contexts, length, treatment }: ScoreRequest<TablesTreatment>,
    signal?: AbortSignal,
  ): Promise<ContextScores[]> {
    const tables = this.#values(treatment, length);
    const out: ContextScores[] = [];
    // A context takes minutes, so stopping a run does not wait for its end.
    const abandon = (): void => this.decoder.abandon?.();
    signal?.addEventListener('abort', abandon, { once: true });
    try {
      for (const context of contexts) {
        if (signal?.aborted) break;
        // A row that belongs to two rungs is listed twice, but the context runs once.
        const rows = context.rows.filter((row) => row < length);
        out.push(
          await this.decoder.run({
            tokens: context.tokens.slice(0, length),
            tables,
            rows,
            targets: context.targets.slice(0, rows.length),
          }),
        );
      }
    } finally {
      signal?.removeEventListener('abort', abandon);
    }
    return out;
  }

  #values(treatment: TablesTreatment, length: number): RotaryValues[] {
    const latest = this.#latest;
    if (latest?.treatment === treatment && latest.length >= length) return latest.values;
    // A group without a site of its own shares that of another.
    const given = this.siteGroups.map((group) => treatment.tables[group]);
    treatment.tables.forEach((table, group) => {
      if (!given.some((own) => isDeepStrictEqual(own, table)))
        throw errors.tables(given.length, this.model.groups[group]!.layerType);
    });
    const values = this.siteGroups.map((group) => {
      const { invFreq, attentionScaling } = stored(treatment.tables[group]!, this.model);
      return rotaryValues(invFreq, attentionScaling, length);
    });
    this.#latest = { treatment, length, values };
    return values;
  }
}

/**
 * The lengths, in tokens, of the contexts that are timed in order to estimate the time of all.
 * Attention runs at another pace than the products with weights, and only the longer one shows it.
 */
const TIMED_LENGTHS = Object.freeze({ short: 512, long: 4096 });

/** The loss of this many tokens before a rung counts as that of the rung's length. */
const TEXT_SPAN = 256;

/** Contexts are few, each with many scored tokens: one takes minutes on a user's decoder. */
const SAMPLES: Readonly<Record<keyof typeof PRESETS, PresetPlan>> = Object.freeze({
  quick: { short: 1, shortText: 2, long: 2, longText: 2, apart: 0 },
  standard: { short: 2, shortText: 4, long: 4, longText: 4, apart: 0 },
  thorough: { short: 8, shortText: 16, long: 12, longText: 12, apart: 0 },
});

/** The MiB of attention scores that a run may hold. */
const SCORE_MEMORY = 1024;

/** Where a user's decoder is, and how it is run. */
export interface OnnxOptions {
  /** An .onnx file, or a folder with one. */
  readonly path: string;
  /** The name of the file, if the folder has several models. */
  readonly file?: string | undefined;
  /** The texts to ask it on; default: those of the package. */
  readonly texts?: readonly string[] | undefined;
  /** The MiB that it may take; default: what the machine has left. */
  readonly memory?: number | undefined;
  /** The equivalent shell options. */
  readonly argument?: string | undefined;
  readonly device: 'auto' | 'cpu' | 'cuda';
  readonly threads: number;
  /** false: run it in this process. */
  readonly worker?: boolean | undefined;
}

/** A user's own decoder, which takes one table for each of its layer groups. */
export class OnnxSubject implements Subject<TablesTreatment> {
  readonly window: number;
  readonly groups: readonly [{ readonly group: number }];
  readonly textSpan = TEXT_SPAN;
  /** Its losses are already those of the user's model. */
  readonly lossScale = 1;
  readonly takes = { positions: false, cachedKeys: 'no' } as const;
  readonly #treatments = new TableTreatments();
  #opened:
    { readonly decoder: Decoder; readonly scorer: DecoderScorer; readonly pace: Pace } | undefined;

  constructor(
    private readonly trained: TrainedModel,
    private readonly model: DecoderShape,
    private readonly files: ModelFiles,
    readonly texts: TokenizedTexts,
    private readonly options: OnnxOptions,
  ) {
    this.window = trained.groups[trained.decisive]!.window;
    this.groups = [{ group: trained.decisive }];
  }

  samples(preset: keyof typeof PRESETS, exactly: number | undefined): PresetPlan {
    if (exactly === undefined) return SAMPLES[preset];
    const short = Math.ceil(exactly / 2);
    return { short, shortText: exactly, long: exactly, longText: exactly, apart: 0 };
  }

  treat(scaling: Scaling, at: Situation): TablesTreatment {
    if (this.trained.rotaryShare < 1 && scaling.groups.some((g) => g.softmaxScaleRatio !== 1))
      throw errors.softmax();
    return this.#treatments.of(scaling, at);
  }

  async open(longest: number): Promise<Opened> {
    const { attention } = this.model;
    const { argument, threads, worker, memory } = this.options;
    const device = this.options.device === 'cuda' ? 'cuda' : 'cpu';
    const request: DecoderRequest = {
      file: this.files.model,
      device,
      threads,
      positions: longest,
      memory: SCORE_MEMORY,
      room: memory,
      layers: attention.layers,
      heads: attention.heads,
      ...cachedKeys(attention),
      pairs: [...new Set(this.model.groups.map(({ rope }) => rope.rotaryDim / 2))],
      scoredRows: 2 * TEXT_SPAN,
    };
    const decoder: Decoder = await (worker === false
      ? DecoderSession.open(request)
      : openDecoder(request));
    try {
      const { sites, cost, onnxruntime, vocabulary } = decoder.info;
      const siteGroups = groupsOfSites(this.model, sites);
      if (vocabulary !== undefined && this.texts.highest >= vocabulary)
        throw errors.vocabulary(this.texts.highest, vocabulary);
      const scorer = new DecoderScorer(decoder, siteGroups, this.model);
      this.#opened = { decoder, scorer, pace: await this.#pace(decoder, siteGroups, longest) };
      return {
        entry: {
          ...entryOf(this.files, this, decoder.info, longest),
          ...(argument === undefined ? {} : { argument }),
        },
        device,
        onnxruntime,
        findings: exportFindings(compareTables(this.model, sites, longest)),
        lanes: 1,
        tokensPerRequest: 1,
        expected: { millisecondsPerWork: 1, memory: cost.memory },
      };
    } catch (error) {
      await decoder.close();
      throw error;
    }
  }

  /** Measures how fast this machine reads, on two contexts with the model's own table. */
  async #pace(decoder: Decoder, siteGroups: readonly number[], longest: number): Promise<Pace> {
    const timed = async (length: number): Promise<TimedContext> => {
      const tokens = Array.from({ length }, (_, i) => this.texts.token(i));
      const tables = siteGroups.map((group) => {
        const { invFreq, attentionScaling } = this.trained.groups[group]!.referenceTable;
        return rotaryValues(invFreq, attentionScaling, length);
      });
      const started = performance.now();
      await decoder.run({ tokens, tables, rows: [0], targets: [tokens[1]!] });
      return { length, milliseconds: performance.now() - started };
    };
    const short = Math.min(TIMED_LENGTHS.short, longest);
    await timed(short); // The first run also prepares the weights.
    return paceOf(
      decoder.info.cost,
      await timed(short),
      await timed(Math.min(TIMED_LENGTHS.long, longest)),
    );
  }

  /** In milliseconds; before the decoder is open, in proportion to the length. */
  workOf(length: number): number {
    if (!this.#opened) return length;
    const { decoder, pace } = this.#opened;
    return millisecondsAt(decoder.info.cost, pace, length);
  }

  score(
    request: ScoreRequest<TablesTreatment>,
    signal?: AbortSignal,
  ): Promise<readonly ContextScores[]> {
    if (!this.#opened) throw new Error('the decoder was not opened');
    return this.#opened.scorer.score(request, signal);
  }

  async close(): Promise<void> {
    await this.#opened?.decoder.close();
  }
}

function entryOf(
  files: ModelFiles,
  { window, texts }: OnnxSubject,
  info: DecoderInfo,
  longest: number,
): OnnxDecoderReport {
  return {
    kind: 'onnx-decoder',
    name: basename(files.model),
    window,
    weightsSha256: info.weightsSha256,
    graphSha256: info.graphSha256,
    producer: info.producer,
    forms: [...new Set(info.sites.map((site) => site.form))],
    precision: info.quantised ? '4-bit' : info.precision,
    editDifference: info.editDifference,
    ...(info.chunk === undefined ? {} : { chunk: info.chunk }),
    textTokens: texts.tokens,
    textSha256: texts.sha256,
    textRepeats: texts.tokens < longest,
  };
}

/** Finds a user's decoder, its tokenizer and the texts. The weights are loaded later, by `open`. */
export async function onnxSubject(
  trained: TrainedModel,
  model: DecoderShape,
  options: OnnxOptions,
): Promise<OnnxSubject> {
  const files = findModel(options.path, options.file);
  const documents = options.texts ?? (await bundledTexts());
  const texts = new TokenizedTexts(loadTokenizer(files), documents);
  texts.assertEnough(TEXT_SPAN);
  const [shortest] = SHORT_RUNGS;
  const { window } = trained.groups[trained.decisive]!;
  texts.assertRoom(
    probeTokens(shortest!, window),
    questionsPerRung(SHORT_RUNGS.length, texts.keys),
  );
  return new OnnxSubject(trained, model, files, texts, options);
}

/** A decoder in this process or another one. */
export interface Decoder {
  readonly info: DecoderInfo;
  run(run: DecoderRun): Promise<ContextScores>;
  /** Ends it in the middle of a context, which then fails; absent if it runs in this process. */
  abandon?(): void;
  close(): Promise<void>;
}

/** The seconds that one context may take: a long one takes a large model many minutes on a CPU. */
const PATIENCE = 7200;

function died(reason: string): RopeEvalError {
  return new RopeEvalError('engine_died', {
    problem: `the process that runs the model stopped: ${reason}`,
    hint: words`Out of memory is the usual cause: try a smaller ${option('target')}, or an export with fewer bits.`,
  });
}

/** Opens a decoder in its own process. @throws RopeEvalError as `DecoderSession.open` */
export async function openDecoder(request: DecoderRequest): Promise<Decoder> {
  const child = new Worker(fileURLToPath(new URL('./child.js', import.meta.url)), {
    died,
    patience: PATIENCE,
  });
  // The process is killed in the end, and so cannot tidy up itself.
  const links = linksFolder(request.file);
  const tidy = (): void => rmSync(links, { recursive: true, force: true });
  process.once('exit', tidy);
  const close = async (): Promise<void> => {
    await child.close();
    tidy();
    process.off('exit', tidy);
  };
  try {
    const first: DecoderRequest = { ...request, links, flushesDenormals: true };
    const info = (await child.ask(first)) as DecoderInfo;
    return {
      info,
      run: async (run) => (await child.ask(run)) as ContextScores,
      abandon: () => void close(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
