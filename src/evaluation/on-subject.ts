import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { RopeEvalError } from '../errors.js';
import type { Finding } from '../findings/index.js';
import { analyseGeometry } from '../geometry/analyse.js';
import type { EvaluateOptions, RunEstimate } from '../options.js';
import { accuracyByDistance, type Cluster, clusters } from '../probes/measure.js';
import { ladder, mostLong, planOf, PRESETS, probeTokens } from '../probes/presets.js';
import type { MadeBy } from '../report/agreement.js';
import { shortCostOnModels } from '../report/real-models.js';
import type { CandidateReport } from '../report/schema/candidate.js';
import {
  type PerContext,
  type Report,
  REPORT_SCHEMA_VERSION,
  type ShortRows,
} from '../report/schema/report.js';
import type { Opened, Subject } from '../subjects/subject.js';
import { TOOL_VERSION } from '../version.js';
import { answerInStages, planRun } from './plan.js';
import { PROBES } from './probes/registry.js';
import type { ContextSet, SavedAnswer } from './questions.js';
import { keysToWrite, recommend, requestProfiles, unwritableFindings } from './recommendation.js';
import type { FactsAndText, RunPlan, Variant } from './run.js';
import {
  defaultThreads,
  reportHead,
  type RunConditions,
  runtimeOf,
  type Setup,
  takeOver,
} from './setup.js';
import { decisiveOf, judge, referenceResults, tiesOf } from './variant.js';

/** Evaluates one subject from the setup to the report. */

/** A report, with the answers behind it. */
export interface ProbedReport {
  readonly report: Report;
  /** The answers so far, from which a later run can resume. */
  finished(): SavedAnswer[];
}

/**
 * Evaluates all candidates on one subject: opens it, has every question answered, closes it and
 * builds the report.
 *
 * @throws RopeEvalError exit 2 for a bad option, 3 if the runtime fails
 */
export async function evaluateOn(
  setup: Setup,
  options: EvaluateOptions,
  subject: Subject,
): Promise<ProbedReport> {
  const started = performance.now();
  const conditions = conditionsOf(setup, options, subject);
  const { multiples, settings } = conditions;
  const longest = probeTokens(Math.max(...multiples), subject.window);
  const { opened, made: run } = await whileOpening(subject, longest, () =>
    planRun(setup, subject, {
      multiples,
      samples: settings.contexts,
      most: mostLong(settings.contexts, options.samples),
    }),
  );
  const tool = { name: 'rope-eval', version: TOOL_VERSION } as const;
  const head = reportHead(setup, options, conditions, opened, tool);
  const engineStarted = performance.now();
  let estimatedMs: number | undefined;
  const stopped = await answerAll(run, opened, options, head, (estimate) => {
    estimatedMs = estimate.milliseconds;
    options.onEstimate?.(estimate);
  });
  const engineMs = performance.now() - engineStarted;
  const report = buildReport(run, head, opened, stopped);
  report.timings = {
    totalMs: performance.now() - started,
    engineMs,
    tokens: run.questions.tokens,
    ...(estimatedMs === undefined ? {} : { estimatedMs }),
  };
  return { report, finished: () => run.questions.finished() };
}

function conditionsOf(setup: Setup, options: EvaluateOptions, subject: Subject): RunConditions {
  const preset = options.preset ?? 'standard';
  const { window } = setup.groups[setup.decisive]!;
  const asked = options.lengths?.map((tokens) => tokens / window);
  return {
    multiples: setup.localOnly ? [1] : ladder(setup.target.multiple, asked),
    settings: {
      preset,
      seed: setup.seed,
      contexts:
        subject.samples?.(preset, options.samples) ?? planOf(PRESETS[preset], options.samples),
      threads: options.threads ?? defaultThreads(),
    },
  };
}

/**
 * Opens a subject and makes something else in the meantime.
 *
 * @throws what `make` throws, after closing the subject, or the error of the opening
 */
export async function whileOpening<T>(
  subject: Pick<Subject, 'open' | 'close'>,
  longest: number,
  make: () => T,
): Promise<{ readonly opened: Opened; readonly made: T }> {
  const opening = subject.open(longest);
  try {
    const made = make();
    return { opened: await opening, made };
  } catch (error) {
    await opening.then(
      () => subject.close(),
      () => {}, // Nothing was opened.
    );
    throw error;
  }
}

/** Has every question answered, closes the subject, and returns why it stopped before the end. */
async function answerAll(
  run: RunPlan,
  opened: Opened,
  options: EvaluateOptions,
  head: MadeBy,
  onEstimate: (estimate: RunEstimate) => void,
): Promise<string | undefined> {
  const { onProgress, onProvisional, signal, resume, samples, stopEarly = true } = options;
  try {
    if (resume) takeOver(run.questions, resume, head);
    const complete = await answerInStages(run, opened, {
      signal,
      onProgress: (done, total, label) => onProgress?.({ done, total, label }),
      onStart: (work) => {
        const { expected } = opened;
        if (expected)
          onEstimate({
            milliseconds: work * expected.millisecondsPerWork,
            memory: expected.memory,
          });
      },
      onProvisional,
      stopsEarly: stopEarly && samples === undefined,
    });
    return complete ? undefined : 'interrupted';
  } catch (error) {
    // What was finished is worth keeping. The report says that the rest failed.
    if (!(error instanceof RopeEvalError && error.kind === 'engine_died')) throw error;
    // The signal of Ctrl-C may have reached the engine too.
    return signal?.aborted ? 'interrupted' : error.message;
  } finally {
    await run.subject.close();
  }
}

/** @param stopped why the run ended early; undefined if it did not */
function buildReport(
  run: RunPlan,
  { tool, ...head }: MadeBy,
  opened: Opened,
  stopped: string | undefined,
): Report {
  const { setup, questions } = run;
  const reference = referenceResults(run);
  const judged = run.variants.map((variant) => judge(run, reference, variant));
  const candidates = judged.map(({ report }) => {
    const shortOnModels = shortCostOnModels(head, report);
    return Object.assign(report, shortOnModels && { shortOnModels });
  });
  const recommendation = recommend(candidates, setup.target.multiple, tiesOf(judged));
  const write = keysToWrite(setup, recommendation);
  const profiles = requestProfiles(setup, candidates, recommendation);
  const rows = stopped === undefined ? perContext(run) : undefined;
  const { contexts } = run.sets.ladder;
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    tool,
    createdAt: new Date().toISOString(),
    status: stopped === undefined ? 'complete' : stopped === 'interrupted' ? stopped : 'failed',
    ...head,
    runtime: runtimeOf(opened.onnxruntime),
    chance: contexts.reduce((sum, c) => sum + c.chance, 0) / contexts.length,
    findings: findingsOf(run, opened, candidates),
    candidates,
    recommendation: { ...recommendation, ...(write && { write }), ...(profiles && { profiles }) },
    ...(stopped === undefined
      ? {}
      : { unfinished: { reason: stopped, jobs: questions.finished() } }),
    ...(rows ? { perContext: rows } : {}),
    geometry: geometryOf(setup),
    timings: { totalMs: 0, engineMs: 0, tokens: questions.tokens },
  };
}

/** Collects the findings: first on the model, then on the run, then on the results. */
function findingsOf(
  { setup, variants }: RunPlan,
  opened: Opened,
  candidates: readonly CandidateReport[],
): Finding[] {
  return [
    ...setup.model.findings,
    ...setup.findings,
    ...opened.findings,
    ...setup.candidates.flatMap((candidate) => candidate.findings ?? []),
    ...unwritableFindings(setup),
    ...candidates.flatMap((row, i) =>
      PROBES.flatMap((probe) => probe.findings?.(row, variants[i]!) ?? []),
    ),
  ];
}

function geometryOf(setup: Setup): NonNullable<Report['geometry']> {
  const candidates = setup.candidates.map(({ label, specs, softmaxScaleRatio }) => ({
    label,
    specs,
    softmaxScale: softmaxScaleRatio * setup.referenceSoftmaxScale,
  }));
  return analyseGeometry(setup.before, setup.reference, candidates, {
    target: setup.target.tokens,
    dtype: 'bfloat16',
    bandwidthGBps: null,
  });
}

/**
 * Collects every candidate's sums for each context, so that another run can be compared in pairs.
 *
 * @returns undefined if a measurement is missing because of an interruption
 */
export function perContext(run: RunPlan): PerContext | undefined {
  const { sets } = run;
  const rows = run.variants.map((variant) => variantRows(run, variant));
  const [reference] = rows;
  if (!reference || !rows.every((row) => row !== undefined)) return undefined;
  const { facts, copies, textLoss } = reference.short;
  // Shorter rows cover only the first of these contexts.
  const longest = rows.reduce((a, b) => (contextsOf(b) > contextsOf(a) ? b : a));
  return {
    sha256: digest([sets.short, sets.shortText, sets.ladder]),
    counts: {
      facts: row(facts, 'count'),
      copies: row(copies, 'count'),
      text: row(textLoss, 'count'),
      needle: grid(longest.needle, 'count'),
    },
    candidates: rows.map(({ label, short, needle, local }) => ({
      label,
      short: shortRows(short),
      needle: grid(needle, 'sum'),
      local: local.map((each) => ({ layerType: each.layerType, ...shortRows(each.short) })),
    })),
  };
}

const contextsOf = ({ needle }: { needle: readonly (readonly Cluster[][])[] }): number =>
  needle[0]?.[0]?.length ?? 0;

type ShortClusters = Readonly<Record<keyof ShortRows, readonly Cluster[]>>;

function variantRows(run: RunPlan, { label, short, ladder }: Variant) {
  const { setup, subject, multiples } = run;
  const own = ladder.facts.measurement();
  const main = shortClusters(run, short[decisiveOf(run)]!);
  if (!own || !main) return undefined;
  const local = subject.groups.flatMap(({ group }, index) => {
    const found = shortClusters(run, short[index]!);
    const { layerType } = setup.groups[group]!;
    return group === setup.decisive || !found ? [] : [{ layerType, short: found }];
  });
  const rungs = multiples.map((_, rung) => rung);
  return { label, short: main, needle: accuracyByDistance(own, rungs), local };
}

function shortClusters({ sets }: RunPlan, asked: FactsAndText): ShortClusters | undefined {
  const [facts, text] = [asked.facts.measurement(), asked.text.measurement()];
  if (!facts || !text) return undefined;
  const rungs = sets.short.lengths.map((_, r) => r);
  return {
    facts: clusters(facts, { kind: 'fact', rungs }, 'accuracy'),
    copies: clusters(facts, { kind: 'copy', rungs }, 'accuracy'),
    copyLoss: clusters(facts, { kind: 'copy', rungs }, 'loss'),
    textLoss: clusters(text, { kind: 'language', rungs }, 'loss'),
  };
}

function shortRows({ facts, copies, copyLoss, textLoss }: ShortClusters): ShortRows {
  return {
    facts: row(facts, 'sum'),
    copies: row(copies, 'sum'),
    copyLoss: row(copyLoss, 'sum'),
    textLoss: row(textLoss, 'sum'),
  };
}

/** Digits of a summed loss. At least 20 tokens or so share it, so that a mean keeps six digits. */
const DIGITS = 5;

function row(list: readonly Cluster[], key: keyof Cluster): string {
  return list.map((each) => String(Number(each[key].toFixed(DIGITS)))).join(' ');
}

function grid(bins: readonly (readonly Cluster[][])[], key: keyof Cluster): string[][] {
  return bins.map((rung) => rung.map((bin) => row(bin, key)));
}

/** Hashes contexts. Equal digests mean the same texts with the same questions. */
function digest(sets: readonly ContextSet[]): string {
  const hash = createHash('sha256');
  for (const { contexts } of sets) {
    hash.update(JSON.stringify(contexts.map(({ tokens, rows }) => [tokens, rows])));
  }
  return hash.digest('hex');
}
