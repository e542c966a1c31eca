import { performance } from 'node:perf_hooks';
import { RopeEvalError } from '../errors.js';
import { finding } from '../findings/index.js';
import { analyseGeometry } from '../geometry/analyse.js';
import type { ProbeGeometry } from '../geometry/transfer.js';
import type { EvaluateOptions } from '../options.js';
import type { Language } from '../probes/language.js';
import { ladder, mostLong, planOf, type PresetPlan, probeTokens } from '../probes/presets.js';
import {
  type CandidateReport,
  type Report,
  REPORT_SCHEMA_VERSION,
} from '../report/schema/report.js';
import {
  chooseMember,
  type Engine,
  loadFamily,
  loadLanguage,
  opener,
} from '../subjects/bundled/index.js';
import { TOOL_VERSION } from '../version.js';
import {
  type Against,
  buildCandidate,
  comparisons,
  longFacts,
  type Plan,
  planCandidate,
} from './candidate.js';
import { defaultThreads, reportHead, runtimeOf, takeOver } from './conditions.js';
import { contextSets, FurtherContexts, type Sets } from './context-sets.js';
import { JobList, type SavedJob } from './jobs.js';
import { perContext } from './per-context.js';
import { isOpen, keysToWrite, recommend, unwritableFindings } from './recommendation.js';
import { planServing, type Serving, servingFindings } from './serving.js';
import { referenceGeometry, type Setup, setUp } from './setup.js';
import { summariseReach, tied } from './summary.js';
import { probeGeometry } from './tables.js';

/**
 * Waits for an engine that opens in processes of its own, and makes something here in the meantime.
 *
 * @throws what `make` throws, with the engine closed, or what the opening failed with
 */
export async function meanwhile<T>(
  opening: Promise<Engine>,
  make: () => T,
): Promise<{ readonly engine: Engine; readonly made: T }> {
  try {
    const made = make();
    return { engine: await opening, made };
  } catch (error) {
    await opening.then(
      (engine) => engine.close(),
      () => {}, // nothing was opened
    );
    throw error;
  }
}

/**
 * Runs the jobs, and what is asked for on seeing their results.
 *
 * @param steps `begin` may take finished work over; `ask` adds jobs, or says that nothing is left
 * @returns why it was stopped before the end; undefined: it was not
 */
export async function work(
  jobs: JobList,
  engine: Engine,
  { onProgress, signal }: Pick<EvaluateOptions, 'onProgress' | 'signal'>,
  { begin, ask }: { begin(): void; ask(): boolean },
): Promise<string | undefined> {
  try {
    begin();
    do {
      const total = jobs.totalTokens;
      const report = (done: number, label: string) => onProgress?.({ done, total, label });
      if (!(await jobs.run(engine, report, signal))) return 'interrupted';
    } while (ask());
    return undefined;
  } catch (error) {
    // What was finished is worth keeping: the report says that the rest failed.
    if (!(error instanceof RopeEvalError && error.kind === 'engine_died')) throw error;
    // After Ctrl-C the engine may well have got the signal too.
    return signal?.aborted ? 'interrupted' : error.message;
  } finally {
    await engine.close();
  }
}

/** All that is to be run on one probe model, and where its results will be. */
export interface RunPlan {
  readonly sets: Sets;
  readonly further: FurtherContexts;
  readonly jobs: JobList;
  /** The reference first. */
  readonly plans: readonly Plan[];
  /** (plans) */
  readonly serving: readonly Serving[];
}

interface Parts {
  readonly probe: ProbeGeometry;
  readonly language: Language;
  /** The ladder. */
  readonly multiples: readonly number[];
  readonly samples: PresetPlan;
  /** Contexts of facts on the ladder that a scaling gets at most. */
  readonly most: number;
}

/** Draws the contexts and asks for every scaling's runs on them. */
export function planRun(setup: Setup, parts: Parts): RunPlan {
  const { probe, language, multiples, samples, most } = parts;
  const { seed, localOnly, target } = setup;
  const { window } = probe;
  const far = localOnly ? 1 : target.multiple;
  const sets = contextSets(language, window, multiples, samples, seed, far);
  const targetTokens = probeTokens(target.multiple, window);
  const further = new FurtherContexts(language, sets.long, targetTokens, most, seed);
  const plans = [undefined, ...setup.candidates].map((candidate) =>
    planCandidate(setup, probe, multiples, candidate),
  );
  const run = { setup, probe, multiples, sets, further, language, samples, seed };
  const serving = plans.map((plan) => planServing(plan, run));
  const jobs = new JobList();
  for (const plan of plans) plan.addTo(jobs, sets);
  for (const each of serving) each.addTo(jobs);
  return { sets, further, jobs, plans, serving };
}

export interface ProbedReport {
  readonly report: Report;
  /** What was run, for a later run that goes on from it. */
  finished(): SavedJob[];
}

/**
 * The comparison on one probe model.
 *
 * @param wanted name of a member; default: the one whose critical fraction is nearest
 * @throws RopeEvalError exit 2 for a bad config or option, 3 where the runtime fails
 */
export async function evaluateOn(
  text: string,
  options: EvaluateOptions,
  wanted?: string,
): Promise<ProbedReport> {
  const started = performance.now();
  const setup = setUp(text, options);
  const preset = options.preset ?? 'standard';
  const samples = planOf(preset, options.samples);
  const { seed } = setup;
  const threads = options.threads ?? defaultThreads();
  const likeness = referenceGeometry(setup);
  const { window } = likeness;
  const family = await loadFamily();
  const { member, range, inRange, below } = chooseMember(family, likeness, wanted);
  const probe = probeGeometry(family, member, setup.referenceSpecs[setup.main]!, window, below);
  const language = await loadLanguage(family);
  const multiples = setup.localOnly
    ? [1]
    : ladder(
        setup.target.multiple,
        options.lengths?.map((tokens) => tokens / window),
      );
  const longest = probeTokens(Math.max(...multiples), member.window);
  const open = options.openEngine ?? opener(options.worker, longest);
  const opening = open({ member: member.name, device: options.device ?? 'auto', threads });
  const { engine, made } = await meanwhile(opening, () =>
    planRun(setup, {
      probe,
      language,
      multiples,
      samples,
      most: mostLong(samples, options.samples),
    }),
  );
  const { sets, further, jobs, plans, serving } = made;
  const engineStarted = performance.now();
  const tool: Report['tool'] = { name: 'rope-eval', version: TOOL_VERSION };
  const head = reportHead(text, options, setup, engine.info, {
    member,
    inRange,
    probe,
    settings: { preset, seed, contexts: samples, threads },
    multiples,
  });

  const compare = () => comparisons(jobs, sets, further, plans[0]!, setup, multiples, seed);
  const isUndecided = (plan: Plan, against: Against): boolean => {
    const facts = longFacts(plan, jobs, sets, further, against);
    return facts !== undefined && isOpen(summariseReach(facts), setup.target.multiple);
  };
  const stopped = await work(jobs, engine, options, {
    begin() {
      if (options.resume) takeOver(jobs, options.resume, { tool, ...head });
    },
    ask() {
      if (setup.localOnly) return false;
      const against = compare();
      return further.ask(
        jobs,
        plans.filter((plan) => isUndecided(plan, against)),
      );
    },
  });
  const engineMs = performance.now() - engineStarted;

  const against = compare();
  const built = plans.map((plan, i) => {
    const { report, score } = buildCandidate(plan, jobs, sets, further, against, setup);
    return { report: { ...report, ...serving[i]!.report(jobs, against) }, score };
  });
  const candidates = built.map((b) => b.report);
  const scores = new Map(built.map((b) => [b.report, b.score]));
  const isTied = (a: CandidateReport, b: CandidateReport): boolean => {
    const [x, y] = [scores.get(a), scores.get(b)];
    return x !== undefined && y !== undefined && tied(x, y);
  };
  const { contexts } = sets.long;
  const rows = stopped === undefined ? perContext(plans, jobs, sets, further, setup) : undefined;
  const recommendation = recommend(candidates, setup.target.multiple, isTied);
  const write = keysToWrite(setup, recommendation, text);
  const report: Report = {
    schemaVersion: REPORT_SCHEMA_VERSION,
    tool,
    createdAt: new Date().toISOString(),
    status: stopped === undefined ? 'complete' : stopped === 'interrupted' ? stopped : 'failed',
    ...head,
    runtime: runtimeOf(engine.info.onnxruntime),
    chance: contexts.reduce((sum, c) => sum + c.chance, 0) / contexts.length,
    findings: [
      ...setup.model.findings,
      ...setup.findings,
      ...(inRange
        ? []
        : [finding('probe_out_of_range', '', { own: likeness.criticalFraction, ...range })]),
      ...setup.candidates.flatMap((c) => c.findings ?? []),
      ...unwritableFindings(setup, text),
      ...candidates.flatMap(servingFindings),
    ],
    candidates,
    recommendation: { ...recommendation, ...(write ? { write } : {}) },
    ...(stopped === undefined ? {} : { unfinished: { reason: stopped, jobs: jobs.finished() } }),
    ...(rows ? { perContext: rows } : {}),
    geometry: analyseGeometry(
      setup.before,
      setup.reference,
      setup.candidates.map(({ label, specs, softmaxScaleRatio }) => ({
        label,
        specs,
        softmaxScale: softmaxScaleRatio * setup.referenceSoftmaxScale,
      })),
      { target: setup.target.tokens, dtype: 'bfloat16', bandwidthGBps: null },
    ),
    timings: { totalMs: performance.now() - started, engineMs, tokens: jobs.tokens },
  };
  return { report, finished: () => jobs.finished() };
}
