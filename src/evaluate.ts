import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';
import {
  loadFamily,
  loadLanguage,
  nearestMember,
  openProcess,
  openSession,
} from './engine/index.js';
import { RopeEvalError } from './errors.js';
import type { EvaluateOptions } from './evaluate-types.js';
import { buildCandidate, comparisons, planCandidate, type Plan } from './evaluation/candidate.js';
import { JobList } from './evaluation/jobs.js';
import { takeOver, type ReportHead } from './evaluation/resume.js';
import { tied } from './evaluation/score.js';
import { runtimeOf } from './evaluation/runtime.js';
import { contextSets } from './evaluation/sets.js';
import { groupWindow, setUp, type Setup } from './evaluation/setup.js';
import { recommend } from './evaluation/verdict.js';
import { keysToWrite } from './evaluation/write.js';
import { analyseGeometry } from './geometry/analyse.js';
import { criticalFractionOf } from './geometry/critical.js';
import { probeFrequencies } from './geometry/transfer.js';
import { ladder } from './probes/ladder.js';
import { planOf } from './probes/presets.js';
import { REPORT_SCHEMA_VERSION, type CandidateReport, type Report } from './report/schema.js';
import { computeRope } from './rope/index.js';
import { TOOL_VERSION } from './version.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** More threads than this do not make the small decoder faster. */
const MAX_THREADS = 8;

/** Critical fraction of what the weights were trained with, on the layers that look farthest. */
function referenceGeometry(setup: Setup): { criticalFraction: number; window: number } {
  const window = groupWindow(setup.model.groups[setup.main]!, setup.reference);
  const { invFreq } = computeRope(setup.referenceSpecs[setup.main]!, window);
  return { criticalFraction: criticalFractionOf(invFreq, window) ?? 1, window };
}

/**
 * Compares candidate RoPE scalings for the model of a config.json on a bundled probe model.
 *
 * One seed, one thread count, one machine: the same report but for `createdAt` and `timings`.
 *
 * @param text a config.json
 * @throws RopeEvalError exit 2 for a bad config or option, 3 where the runtime fails
 */
export async function evaluate(text: string, options: EvaluateOptions = {}): Promise<Report> {
  const started = performance.now();
  const setup = setUp(text, options);
  const preset = options.preset ?? 'standard';
  const samples = planOf(preset, options.samples);
  const seed = options.seed ?? 1;
  const threads = options.threads ?? Math.min(MAX_THREADS, availableParallelism());
  const { criticalFraction, window } = referenceGeometry(setup);
  const family = await loadFamily();
  const { member, inRange } = nearestMember(family, criticalFraction);
  const language = await loadLanguage(family);
  const multiples = setup.localOnly
    ? [1]
    : ladder(
        setup.target.multiple,
        options.lengths?.map((tokens) => tokens / window),
      );
  const sets = contextSets(
    language,
    member.window,
    multiples,
    samples,
    seed,
    setup.localOnly ? 1 : setup.target.multiple,
  );
  const probe = {
    invFreq: probeFrequencies(member.theta, family.shape.head_dim / 2),
    window: member.window,
  };

  const jobs = new JobList();
  const plans: Plan[] = [
    planCandidate(setup, probe, multiples, undefined),
    ...setup.candidates.map((c) => planCandidate(setup, probe, multiples, c)),
  ];
  for (const plan of plans) plan.addTo(jobs, sets);

  const open = options.openEngine ?? (options.worker === false ? openSession : openProcess);
  const engine = await open({ member: member.name, device: options.device ?? 'auto', threads });
  const engineStarted = performance.now();
  const tool: Report['tool'] = { name: 'rope-eval', version: TOOL_VERSION };
  const head: ReportHead = {
    config: {
      source: options.source ?? '-',
      sha256: sha256(text),
      modelType: setup.model.modelType,
      architecture: setup.model.architecture ?? null,
    },
    reference: {
      ...setup.reference,
      criticalFraction,
      theta: setup.referenceSpecs[setup.main]!.theta,
      ropeType: setup.referenceSpecs[setup.main]!.type,
    },
    target: setup.target,
    settings: {
      preset,
      seed,
      contexts: samples,
      threads,
      device: engine.info.device,
      deviceAsked: options.device ?? 'auto',
      ladder: multiples.map((m) => ({ multiple: m, tokens: Math.round(m * window) })),
    },
    probeModel: {
      name: member.name,
      criticalFraction: member.criticalFraction,
      window: member.window,
      theta: member.theta,
      seed: member.seed,
      weightsSha256: engine.info.weightsSha256,
      graphSha256: engine.info.graphSha256,
      inRange,
    },
  };
  let stopped: string | undefined;
  try {
    if (options.resume) takeOver(jobs, options.resume, { tool, ...head });
    const total = jobs.totalTokens;
    const complete = await jobs.run(
      engine,
      (done, label) => options.onProgress?.({ done, total, label }),
      options.signal,
    );
    if (!complete) stopped = 'interrupted';
  } catch (error) {
    // What was finished is worth keeping: the report says that the rest failed.
    if (!(error instanceof RopeEvalError && error.kind === 'engine_died')) throw error;
    // After Ctrl-C the engine may well have got the signal too.
    stopped = options.signal?.aborted ? 'interrupted' : error.message;
  } finally {
    await engine.close();
  }
  const engineMs = performance.now() - engineStarted;

  const against = comparisons(jobs, sets, plans[0]!, setup, multiples, seed);
  const built = plans.map((plan) => buildCandidate(plan, jobs, sets, against, setup));
  const candidates = built.map((b) => b.report);
  const scores = new Map(built.map((b) => [b.report, b.score]));
  const isTied = (a: CandidateReport, b: CandidateReport): boolean => {
    const [x, y] = [scores.get(a), scores.get(b)];
    return x !== undefined && y !== undefined && tied(x, y);
  };
  const { contexts } = sets.long;
  const recommendation = recommend(candidates, setup.target.multiple, isTied);
  const write = keysToWrite(setup, recommendation, text);
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    tool,
    createdAt: new Date().toISOString(),
    status: stopped === undefined ? 'complete' : stopped === 'interrupted' ? stopped : 'failed',
    ...head,
    runtime: runtimeOf(engine.info.onnxruntime),
    chance: contexts.reduce((sum, c) => sum + c.chance, 0) / contexts.length,
    findings: [...setup.model.findings, ...setup.candidates.flatMap((c) => c.findings ?? [])],
    candidates,
    recommendation: { ...recommendation, ...(write ? { write } : {}) },
    ...(stopped === undefined ? {} : { unfinished: { reason: stopped, jobs: jobs.finished() } }),
    geometry: analyseGeometry(
      setup.before,
      setup.reference,
      setup.candidates.map(({ label, specs, softmaxScaleRatio }) => ({
        label,
        specs,
        softmaxScale: softmaxScaleRatio * setup.referenceSoftmaxScale,
      })),
      { target: setup.target.tokens, dtype: 'bfloat16', bandwidthGBps: null },
    ) as NonNullable<Report['geometry']>, // its lists are read-only
    timings: { totalMs: performance.now() - started, engineMs, tokens: jobs.tokens },
  };
}
